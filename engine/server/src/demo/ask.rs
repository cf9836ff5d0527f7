//! The one way in which the demo asks: as the operator, through the engine's trait.

use tributary_engine_core::engine::{Answer, Principal, Query};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::{Engine, Result};

/// Puts one statement to a manufacturer's tables.
pub(super) async fn ask(
    engine: &dyn Engine,
    manufacturer: &ManufacturerId,
    sql: &str,
) -> Result<Answer> {
    let query = Query {
        principal: Principal::Operator,
        manufacturer: manufacturer.clone(),
        sql: sql.to_owned(),
        parameters: Default::default(),
        deadline: None,
    };
    engine.query(query).await
}
