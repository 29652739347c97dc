//! Where settings come from: flags, variables, a file; who wins, and who said what.
//!
//! Everything is text here, and stays with its source, so that whoever finds a value wrong can say where to
//! correct it. A setting that several layers have is taken from the highest: flag, then variable, then file.
//! Lists are not joined: a list of a higher layer takes the place of the lower one's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::Failure;
use super::table::{Kind, Setting, VARIABLE_PREFIX};

/// Variables with our prefix that set something else.
const OTHER_VARIABLES: &[&str] = &["QUORATE_LOG", "QUORATE_CONFIG"];

/// Who said it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The command line.
    Flag(&'static str),
    /// The environment.
    Variable(String),
    /// A line of the file.
    File(String, usize),
    /// Nobody.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag(name) => write!(formatter, "flag --{name}"),
            Source::Variable(name) => write!(formatter, "variable {name}"),
            Source::File(path, line) => write!(formatter, "file {path}, line {line}"),
            Source::Default => write!(formatter, "default"),
        }
    }
}

/// What one layer says of one setting; a list may have several words, or none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Given {
    pub(super) words: Vec<String>,
    pub(super) source: Source,
}

/// What was said, by the name of the setting.
pub(super) type Layer = BTreeMap<&'static str, Given>;

/// What the command line asks for.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) layer: Layer,
    pub(super) config: Option<String>,
    pub(super) is_check: bool,
    pub(super) is_help: bool,
}

/// Reads the command line.
pub(super) fn read_flags(words: &[String]) -> Result<Flags, Failure> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let wrong = |error: lexopt::Error| Failure::usage_of("serve", error.to_string());
    let mut flags = Flags::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(argument) = parser.next().map_err(wrong)? {
        let name = match argument {
            Long(name) => name.to_owned(),
            Short('h') => "help".to_owned(),
            other => return Err(wrong(other.unexpected())),
        };
        match name.as_str() {
            "help" => flags.is_help = true,
            "check-config" => flags.is_check = true,
            "config" => flags.config = Some(parser.value().and_then(ValueExt::string).map_err(wrong)?),
            _ => {
                let setting = Setting::find(&name)
                    .ok_or_else(|| Failure::usage_of("serve", format!("serve has no option --{name}")))?;
                let value = match setting.kind {
                    Kind::Switch => parser.optional_value().unwrap_or_else(|| "true".into()),
                    _ => parser.value().map_err(wrong)?,
                };
                add(&mut flags.layer, setting, value.string().map_err(wrong)?)?;
            }
        }
    }
    Ok(flags)
}

/// Adds a flag's value; only a list may have several.
fn add(layer: &mut Layer, setting: &'static Setting, value: String) -> Result<(), Failure> {
    let source = Source::Flag(setting.name);
    let words = split(setting, value);
    match layer.get_mut(setting.name) {
        None => drop(layer.insert(setting.name, Given { words, source })),
        Some(given) if setting.kind == Kind::List => given.words.extend(words),
        Some(given) => {
            let name = setting.name;
            let (first, second) = (&given.words[0], &words[0]);
            return Err(Failure::usage_of(
                "serve",
                format!("--{name} is given twice, as {first:?} and {second:?}; it takes one value"),
            ));
        }
    }
    Ok(())
}

/// A flag's or variable's value in words: commas part those of a list.
fn split(setting: &Setting, value: String) -> Vec<String> {
    match setting.kind {
        Kind::List => value.split(',').map(|word| word.trim().to_owned()).collect(),
        _ => vec![value],
    }
}

/// Reads the variables that are ours; also the file that one of them may name.
pub(super) fn read_variables(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(Layer, Option<String>), Failure> {
    let mut layer = Layer::new();
    let mut config = None;
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(VARIABLE_PREFIX)) else { continue };
        let value = value.into_string().map_err(|value| {
            Failure::usage_of("serve", format!("variable {name} is {}, must be text", value.display()))
        })?;
        match find_variable(name) {
            Some(setting) => {
                let words = split(setting, value);
                layer.insert(setting.name, Given { words, source: Source::Variable(name.to_owned()) });
            }
            None if name == "QUORATE_CONFIG" => config = Some(value),
            None if OTHER_VARIABLES.contains(&name) => {}
            None => {
                let message = format!("variable {name} is {value:?}, but there is no setting of that name");
                return Err(Failure::usage_of("serve", message));
            }
        }
    }
    Ok((layer, config))
}

fn find_variable(name: &str) -> Option<&'static Setting> {
    let name = name.strip_prefix(VARIABLE_PREFIX)?;
    // No other spelling of the same name may pass.
    let setting = Setting::find(&name.to_lowercase().replace('_', "-"))?;
    (setting.variable().strip_prefix(VARIABLE_PREFIX) == Some(name)).then_some(setting)
}

/// Reads a file's text. `path` is what messages call it.
pub(super) fn read_file(path: &Path, text: &str) -> Result<Layer, Failure> {
    let shown = path.display().to_string();
    let line_of = |place: usize| text[..place.min(text.len())].matches('\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        Failure::usage_of("serve", format!("{shown}, line {line}: {}", error.message().replace('\n', "; ")))
    })?;
    let mut layer = Layer::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let name = key.get_ref();
        let Some(setting) = Setting::find(name) else {
            let message = format!("{shown}, line {line}: there is no setting {name:?}");
            return Err(Failure::usage_of("serve", message));
        };
        let Some(words) = words_of(setting.kind, value) else {
            let is = kind_of(value.get_ref());
            let message = format!("{shown}, line {line}: {name} is {is}, must be {}", setting.kind.in_file());
            return Err(Failure::usage_of("serve", message));
        };
        layer.insert(setting.name, Given { words, source: Source::File(shown.clone(), line) });
    }
    Ok(layer)
}

/// A value as words; `None` if it is of another type than the setting takes.
fn words_of(kind: Kind, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let text = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned);
    match (kind, value.get_ref()) {
        (Kind::Number | Kind::Size, DeValue::Integer(number)) if number.radix() == 10 => {
            Some(vec![number.as_str().to_owned()])
        }
        (Kind::Switch, DeValue::Boolean(switch)) => Some(vec![switch.to_string()]),
        (Kind::Size | Kind::Text | Kind::List, DeValue::String(text)) => Some(vec![text.to_string()]),
        (Kind::List, DeValue::Array(values)) => values.iter().map(text).collect(),
        _ => None,
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array, or one of other things than texts",
        DeValue::Table(_) => "a table",
    }
}
