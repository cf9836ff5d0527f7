//! Settings: a struct with `#[derive(Config)]` becomes the plugin's declared settings, and is filled once per instance.
//! The host has checked types and bounds by then.

use std::marker::PhantomData;

use crate::bindings::exports::tributary::plugin::lifecycle::ConfigValue;
use crate::bindings::exports::tributary::plugin::manifest::{ConfigKey, ConfigType};
use crate::failure::PluginFailure;

/// The settings of a plugin: a struct with `#[derive(Config)]`.
pub trait Config: Sized + 'static {
    /// How the manifest spells its fields.
    fn keys() -> Vec<ConfigKey>;
    /// Fills it with what the host hands over.
    fn fill(given: &mut Given) -> Result<Self, PluginFailure>;
}

/// A function that takes settings of this type.
pub struct Uses<C>(PhantomData<C>);

/// A function that takes no settings.
pub struct UsesNone;

/// Whether a function can be part of a plugin whose settings are of type `C`.
#[diagnostic::on_unimplemented(
    message = "a function takes other settings than its plugin has",
    label = "the settings that `plugin!` names in `config:`, or `()` where it names none, are `{C}`"
)]
pub trait TakesSettings<C> {}

impl<C> TakesSettings<C> for Uses<C> {}
impl<C> TakesSettings<C> for UsesNone {}

/// Compiles where the function's settings are the plugin's.
pub const fn takes<C, F: TakesSettings<C>>(_: &PhantomData<F>) {}

/// What the host hands over, by name.
pub struct Given(Vec<(String, ConfigValue)>);

impl Given {
    /// Everything that was handed over.
    pub const fn new(settings: Vec<(String, ConfigValue)>) -> Self {
        Self(settings)
    }

    /// One setting, as its type.
    pub fn take<T: Setting>(&mut self, name: &str) -> Result<T, PluginFailure> {
        let at = self.0.iter().position(|(known, _)| known == name);
        let value = at.map(|at| self.0.swap_remove(at).1);
        T::read(value).map_err(|why| PluginFailure::new(format!("setting \"{name}\" {why}")))
    }
}

/// The type of a setting: `bool i64 f64 String Vec<String>`, `Json<T>` with feature `json`, or an `Option` of one.
pub trait Setting: Sized {
    /// What the manifest calls it.
    const TYPE: ConfigType;
    /// Whether it may be absent.
    const OPTIONAL: bool = false;
    /// The value; or why there is none, as a verb.
    fn read(value: Option<ConfigValue>) -> Result<Self, String>;
    /// The value as JSON, for a default.
    fn json(&self) -> String;
}

macro_rules! setting {
    ($($ty:ty, $case:ident, |$value:ident| $json:expr);* $(;)?) => {
        $(impl Setting for $ty {
            const TYPE: ConfigType = ConfigType::$case;

            fn read(value: Option<ConfigValue>) -> Result<Self, String> {
                match value {
                    Some(ConfigValue::$case(value)) => Ok(value),
                    Some(_) => Err("is of another type".to_owned()),
                    None => Err("is missing".to_owned()),
                }
            }

            fn json(&self) -> String {
                let $value = self;
                $json
            }
        })*
    };
}

setting! {
    bool, Boolean, |value| value.to_string();
    i64, Integer, |value| value.to_string();
    f64, Number, |value| value.to_string();
    String, Text, |value| quoted(value);
    Vec<String>, TextList, |value| {
        let entries: Vec<String> = value.iter().map(|entry| quoted(entry)).collect();
        format!("[{}]", entries.join(","))
    };
}

impl<T: Setting> Setting for Option<T> {
    const TYPE: ConfigType = T::TYPE;
    const OPTIONAL: bool = true;

    fn read(value: Option<ConfigValue>) -> Result<Self, String> {
        match value {
            None => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    fn json(&self) -> String {
        self.as_ref().map_or_else(|| "null".to_owned(), T::json)
    }
}

/// Text as JSON.
fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            letter if letter.is_control() => {
                json.push_str(&format!("\\u{:04x}", letter as u32));
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
    json
}

/// How the manifest spells a setting.
pub fn describe_key<T: Setting>(
    name: &str,
    doc: &str,
    default_json: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
) -> ConfigKey {
    ConfigKey {
        name: name.to_owned(),
        ty: T::TYPE,
        required: !T::OPTIONAL && default_json.is_none(),
        doc: doc.to_owned(),
        default_json,
        min,
        max,
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, quoted};

    #[test]
    fn defaults_are_json() {
        assert_eq!(quoted("a \"b\"\n\\"), r#""a \"b\"\u000a\\""#);
        assert_eq!(60.0.json(), "60");
        assert_eq!(vec!["a".to_owned(), "b".to_owned()].json(), r#"["a","b"]"#);
        assert_eq!(None::<bool>.json(), "null");
    }
}
