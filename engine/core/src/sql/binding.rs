//! Arguments of a plugin's function bound to columns by their names.

use arrow::datatypes::DataType;
use tributary_plugins_host::Function;

use super::function::coerce;

/// The positions of the columns that the arguments name; or everything that is wrong with them, in words.
pub fn bind<'a>(
    function: &Function,
    columns: impl Iterator<Item = (&'a str, &'a DataType)> + Clone,
) -> Result<Vec<usize>, String> {
    let mut bound = Vec::with_capacity(function.args.len());
    let mut wrong = Vec::new();
    for (position, arg) in function.args.iter().enumerate() {
        let wanted = arg.ty.arrow();
        let named = columns.clone().enumerate();
        let mut named = named.filter(|(_, (name, _))| *name == arg.name);
        match (named.next(), named.next()) {
            (None, _) => wrong.push(format!("\"{}\" is missing ({wanted})", arg.name)),
            (Some((at, (_, kind))), None) => match coerce(function, position, kind) {
                Some(_) => bound.push(at),
                None => wrong.push(format!("\"{}\" is {kind}, expected {wanted}", arg.name)),
            },
            (Some(_), Some(_)) => wrong.push(format!("\"{}\" is there twice", arg.name)),
        }
    }
    match wrong.is_empty() {
        true => Ok(bound),
        false => Err(format!("column {}", wrong.join(", "))),
    }
}
