//! Writes a data set as CSV files: `cargo run -p tributary-datasets --example export -- SEED SCALE DIR`.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tributary_datasets::Dataset;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, scale, folder] = &arguments[..] else {
        return Err("usage: export SEED SCALE DIR".into());
    };
    let dataset = Dataset::new(seed.parse()?, scale.parse()?)?;
    for manufacturer in dataset.manufacturers() {
        let folder = Path::new(folder).join(manufacturer);
        fs::create_dir_all(&folder)?;
        for table in Dataset::tables() {
            let mut file = File::create(folder.join(format!("{table}.csv")))?;
            for chunk in dataset
                .csv(manufacturer, table)
                .ok_or("a listed table has rows")?
            {
                file.write_all(&chunk)?;
            }
        }
    }
    fs::write(
        Path::new(folder).join("truths.json"),
        dataset.truths().json(),
    )?;
    Ok(())
}
