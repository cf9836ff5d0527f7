//! The tables and views of one session, listed in order.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;

/// A schema whose listing is the same each time.
#[derive(Debug, Default)]
pub struct OrderedSchema {
    tables: RwLock<BTreeMap<String, Arc<dyn TableProvider>>>,
}

impl OrderedSchema {
    /// Adds a table or a view. Views are planned over the tables that are there already.
    pub fn add(&self, name: &str, table: Arc<dyn TableProvider>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.insert(name.to_owned(), table);
    }

    fn find(&self, name: &str) -> Option<Arc<dyn TableProvider>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.get(name).cloned()
    }
}

#[async_trait]
impl SchemaProvider for OrderedSchema {
    fn table_names(&self) -> Vec<String> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        // Past states of tables are named, not listed.
        let listed = tables.keys().filter(|name| !name.contains('@'));
        listed.cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.find(name))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}
