//! Documents: arguments and settings that are JSON. Parsing is the `json` feature's; without it a document is its text.

use crate::argument::{Cell, Text, Texts};
use crate::bindings::exports::tributary::plugin::manifest::Physical;
use crate::bindings::tributary::plugin::types::Values;
use crate::block::Block;
use crate::value::Named;

/// An argument that is one JSON document per row: text that is JSON, or a LIST or STRUCT of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'c>(
    /// the document
    pub &'c str,
);

impl Named for Document<'_> {
    const PHYSICAL: Physical = Physical::Text;
    fn logical() -> String {
        "json".to_owned()
    }
}

impl<'c> Cell<'c> for Document<'c> {
    type Column = Text<'c>;
    type Block<'r>
        = Texts<'c, 'r>
    where
        'c: 'r;

    fn open(values: &'c Values, rows: usize, constant: bool) -> Option<Text<'c>> {
        <&'c str as Cell<'c>>::open(values, rows, constant)
    }
    #[inline]
    fn block<'r>(column: &'r Text<'c>, block: Block) -> Texts<'c, 'r>
    where
        'c: 'r,
    {
        <&'c str as Cell<'c>>::block(column, block)
    }
    #[inline]
    fn at<'r>(block: &Texts<'c, 'r>, row: usize) -> Self
    where
        'c: 'r,
    {
        Self(<&'c str as Cell<'c>>::at(block, row))
    }
}

#[cfg(feature = "json")]
mod parsed {
    use std::ops::Deref;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::Document;
    use crate::bindings::exports::tributary::plugin::lifecycle::ConfigValue;
    use crate::bindings::exports::tributary::plugin::manifest::ConfigType;
    use crate::config::Setting;
    use crate::failure::PluginFailure;

    impl<'c> Document<'c> {
        /// The document as a type of your own.
        ///
        /// # Errors
        /// Where it is something else; returned from the function, it names the row.
        pub fn parse<T: Deserialize<'c>>(self) -> Result<T, PluginFailure> {
            serde_json::from_str(self.0)
                .map_err(|error| PluginFailure::new(format!("document does not fit: {error}")))
        }
    }

    /// A setting of any JSON, read as a type of your own once per instance.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub struct Json<T>(
        /// the value
        pub T,
    );

    impl<T> Deref for Json<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T: DeserializeOwned> Setting for Json<T> {
        const TYPE: ConfigType = ConfigType::Json;

        fn read(value: Option<ConfigValue>) -> Result<Self, String> {
            match value {
                Some(ConfigValue::Json(json)) => serde_json::from_str(&json)
                    .map(Self)
                    .map_err(|error| format!("does not fit: {error}")),
                Some(_) => Err("is of another type".to_owned()),
                None => Err("is missing".to_owned()),
            }
        }

        /// Not needed: the default of such a setting is written as JSON.
        fn json(&self) -> String {
            "null".to_owned()
        }
    }
}

#[cfg(feature = "json")]
pub use parsed::Json;
