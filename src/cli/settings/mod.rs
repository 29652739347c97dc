//! What `quorate serve` is told: read from three places, checked once, and shown on demand.
//!
//! A value is text until it is checked here, and whatever is wrong with it is said in one sentence: which
//! setting, what it is, what it must be, and who set it. After [`read`] everything that can be known to be
//! wrong without touching a disk or a socket has been refused.

mod layers;
mod memory;
mod show;
mod table;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::limits::{KEY_BYTES_MAX, REPLICAS_MAX, VALUE_BYTES_MAX};
use crate::net::Address;
use crate::raft::{NodeId, Span};
use crate::runtime::Placement;
use layers::{Given, Layer};

pub use layers::Source;
pub use table::{Kind, SETTINGS, Setting};

/// Where clients connect if nobody says otherwise: Redis' own port, from this machine only.
const CLIENT_DEFAULT: &str = "tcp:127.0.0.1:6379";

/// Where the other nodes connect: ten thousand above the clients' port, as with Redis.
const PEER_DEFAULT: &str = "tcp:127.0.0.1:16379";

/// Listeners of one kind.
const DOORS_MAX: usize = 16;

/// Longest path of a socket, in bytes: what the operating system takes, without the end mark.
const SOCKET_PATH_BYTES_MAX: usize = 107;

const CLUSTER_BYTES_MAX: usize = 64;

/// All settings of a node, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// This node.
    pub id: NodeId,
    /// Where it keeps its data.
    pub data: PathBuf,
    /// Where clients connect.
    pub client: Vec<Address>,
    /// Where the other nodes connect.
    pub peer: Vec<Address>,
    /// All nodes in the order of their ids, this one included, and where this one reaches them.
    pub peers: Vec<(NodeId, Address)>,
    /// Tells clusters apart.
    pub cluster: String,
    /// Format an empty directory, as a founder.
    pub bootstrap: bool,
    /// Format an empty directory, to be taken into a cluster that runs.
    pub join: bool,
    /// Silence after which somebody else is elected.
    pub election_timeout: Span,
    /// How often a leader shows that it lives.
    pub heartbeat: Span,
    /// Growth of the log after which a snapshot takes its place, in bytes.
    pub snapshot_bytes: u64,
    /// Longest value that clients may store, in bytes.
    pub value_bytes_max: usize,
    /// Which actors share a thread.
    pub placement: Placement,
    /// Answer reads by lease.
    pub leases: bool,
}

/// What the command line of `serve` amounts to.
#[derive(Debug)]
pub enum Wish {
    /// To run.
    Serve(Box<Settings>),
    /// To see the effective settings: this text.
    Show(String),
    /// To see the help text.
    Help,
}

/// Reads the settings: `words` of the command line, variables, and the file that one of them names.
///
/// # Errors
///
/// Wrong usage, in one sentence; or a file that cannot be read.
pub fn read(
    words: &[String],
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Wish, Failure> {
    let flags = layers::read_flags(words)?;
    if flags.is_help {
        return Ok(Wish::Help);
    }
    let (variables, named) = layers::read_variables(environment)?;
    let mut layer = match flags.config.or(named) {
        Some(path) => read_file(Path::new(&path))?,
        None => Layer::new(),
    };
    layer.extend(variables);
    layer.extend(flags.layer);
    let settings = Settings::check(&layer)?;
    let sources = |name: &str| layer.get(name).map_or(Source::Default, |given| given.source.clone());
    Ok(if flags.is_check {
        Wish::Show(show::text(&settings, sources))
    } else {
        Wish::Serve(Box::new(settings))
    })
}

fn read_file(path: &Path) -> Result<Layer, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::io(format!("cannot read the file of settings {}: {error}", path.display()))
    })?;
    layers::read_file(path, &text)
}

impl Settings {
    fn check(layer: &Layer) -> Result<Settings, Failure> {
        let values = Values(layer);
        let listed = values.peers()?;
        let id = values.id(listed.is_some())?;
        let own = listed.as_deref().and_then(|peers| peers.iter().find(|(peer, _)| *peer == id));
        if listed.is_some() && own.is_none() {
            let must = format!("a list with an entry of node {}, which is this one", id.0);
            return Err(values.wrong("peers", &values.shown("peers"), &must));
        }
        let peer_default = own.map_or_else(|| fixed(PEER_DEFAULT), |(_, address)| address.clone());
        let client = values.doors("client")?.unwrap_or_else(|| vec![fixed(CLIENT_DEFAULT)]);
        let peer = values.doors("peer")?.unwrap_or_else(|| vec![peer_default]);
        values.refuse_shared_doors(&client, &peer)?;
        let peers = listed.unwrap_or_else(|| vec![(id, peer[0].clone())]);
        let election_timeout = values.number("election-timeout", 50..=60_000)?.unwrap_or(1_000);
        let heartbeat = values.number("heartbeat", 1..=election_timeout / 3)?;
        let heartbeat = heartbeat.unwrap_or((election_timeout / 10).max(1));
        let value_bytes_max =
            values.size("value-bytes-max", KEY_BYTES_MAX as u64..=VALUE_BYTES_MAX as u64)?;
        let settings = Settings {
            id,
            data: values.data()?,
            client,
            peer,
            peers,
            cluster: values.cluster()?,
            bootstrap: values.switch("bootstrap")?,
            join: values.switch("join")?,
            election_timeout: Span::milliseconds(election_timeout),
            heartbeat: Span::milliseconds(heartbeat),
            snapshot_bytes: values
                .size("snapshot-bytes", 64 << 10..=1 << 40)?
                .unwrap_or_else(memory::snapshot_bytes),
            value_bytes_max: value_bytes_max
                .map_or(VALUE_BYTES_MAX, |bytes| usize::try_from(bytes).expect("it is in range")),
            placement: values.placement()?,
            leases: values.switch("leases")?,
        };
        values.refuse_join(&settings)?;
        Ok(settings)
    }
}

fn fixed(address: &str) -> Address {
    address.parse().expect("a default is an address")
}

/// The merged layers, and how each value is read.
struct Values<'a>(&'a Layer);

impl Values<'_> {
    /// The refusal of a value: setting, value, what is allowed, source.
    fn wrong(&self, name: &str, value: &dyn fmt::Display, must: &str) -> Failure {
        let source = self.0.get(name).map_or(&Source::Default, |given| &given.source);
        Failure::usage_of("serve", format!("{name} is {value}, must be {must}; set by {source}"))
    }

    /// The refusal of a value that is not in the range of its setting.
    fn out_of_range(&self, name: &str, value: &str) -> Failure {
        let range = Setting::find(name).expect("it is in the table").range;
        self.wrong(name, &format!("{value:?}"), range)
    }

    fn shown(&self, name: &str) -> String {
        format!("{:?}", self.0.get(name).map_or_else(String::new, |given| given.words.join(",")))
    }

    fn given(&self, name: &str) -> Option<&Given> {
        self.0.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let given = self.given(name)?;
        Some(given.words.first().map_or("", String::as_str))
    }

    fn number(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = whole_number(text).filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let mut failure = self.out_of_range(name, text);
            if name == "heartbeat" {
                failure.message.push_str(&format!(" (a third of election-timeout is {})", range.end()));
            }
            failure
        })
    }

    fn size(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Failure> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let size = bytes(text).filter(|size| range.contains(size));
        size.map(Some).ok_or_else(|| self.out_of_range(name, text))
    }

    fn switch(&self, name: &str) -> Result<bool, Failure> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(self.out_of_range(name, other)),
        }
    }

    fn id(&self, has_peers: bool) -> Result<NodeId, Failure> {
        match self.text("id") {
            Some(text) => node_id(text).ok_or_else(|| self.out_of_range("id", text)),
            None if has_peers => Err(Failure::usage_of(
                "serve",
                format!("id is not set, must be {}, because peers is set", SETTINGS[0].range),
            )),
            None => Ok(NodeId(1)),
        }
    }

    fn data(&self) -> Result<PathBuf, Failure> {
        match self.text("data") {
            Some("") => Err(self.out_of_range("data", "")),
            Some(text) => Ok(text.into()),
            None => Err(Failure::usage_of("serve", "data is not set, must be a directory: give --data DIR")),
        }
    }

    fn cluster(&self) -> Result<String, Failure> {
        let name = self.text("cluster").unwrap_or("quorate");
        if name.is_empty() || name.len() > CLUSTER_BYTES_MAX {
            return Err(self.out_of_range("cluster", name));
        }
        Ok(name.to_owned())
    }

    fn placement(&self) -> Result<Placement, Failure> {
        match self.text("placement") {
            None | Some("split") => Ok(Placement::Split),
            Some("fused") => Ok(Placement::Fused),
            Some(other) => Err(self.out_of_range("placement", other)),
        }
    }

    fn address(&self, name: &str, text: &str) -> Result<Address, Failure> {
        let wrong = |why: &str| {
            let value = format!("{text:?}");
            self.wrong(name, &value, &format!("an address, unix:PATH or tcp:HOST:PORT ({why})"))
        };
        let address: Address = text.parse().map_err(|_| wrong("it is none, or its host is not known"))?;
        if let Address::Unix(path) = &address {
            let length = path.as_os_str().len();
            if length == 0 || length > SOCKET_PATH_BYTES_MAX {
                return Err(wrong(&format!("a path has 1 to {SOCKET_PATH_BYTES_MAX} bytes")));
            }
        }
        Ok(address)
    }

    fn doors(&self, name: &str) -> Result<Option<Vec<Address>>, Failure> {
        let Some(given) = self.given(name) else { return Ok(None) };
        let doors: Vec<Address> =
            given.words.iter().map(|word| self.address(name, word)).collect::<Result<_, _>>()?;
        if doors.is_empty() || doors.len() > DOORS_MAX {
            let must = format!("from 1 to {DOORS_MAX} addresses");
            return Err(self.wrong(name, &format!("{} of them", doors.len()), &must));
        }
        Ok(Some(doors))
    }

    /// Nobody can listen twice at one place; a port of 0 is a place of its own each time.
    fn refuse_shared_doors(&self, client: &[Address], peer: &[Address]) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        let named = |name, doors: &[Address]| {
            doors.iter().map(|door| (name, door.to_string())).collect::<Vec<(&str, String)>>()
        };
        for (name, door) in named("client", client).into_iter().chain(named("peer", peer)) {
            if !door.ends_with(":0") && !seen.insert(door.clone()) {
                let must = "an address that nothing else of this node listens at";
                return Err(self.wrong(name, &format!("{door:?}"), must));
            }
        }
        Ok(())
    }

    fn peers(&self) -> Result<Option<Vec<(NodeId, Address)>>, Failure> {
        let Some(given) = self.given("peers") else { return Ok(None) };
        let mut peers = Vec::new();
        // A file may hold them in one text as well.
        for entry in given.words.iter().flat_map(|words| words.split(',')).map(str::trim) {
            let (id, place) = entry.split_once('=').ok_or_else(|| self.out_of_range("peers", entry))?;
            let id = node_id(id).ok_or_else(|| self.out_of_range("peers", entry))?;
            if peers.iter().any(|(peer, _)| *peer == id) {
                return Err(self.out_of_range("peers", entry));
            }
            peers.push((id, self.address("peers", place)?));
        }
        if peers.len() > REPLICAS_MAX {
            return Err(self.out_of_range("peers", &format!("{} entries", peers.len())));
        }
        peers.sort_by_key(|(id, _)| *id);
        Ok(Some(peers))
    }

    fn refuse_join(&self, settings: &Settings) -> Result<(), Failure> {
        if !(settings.join && settings.bootstrap) {
            return Ok(());
        }
        let source = |name: &str| self.0.get(name).map_or(&Source::Default, |given| &given.source);
        let message = format!(
            "join and bootstrap exclude each other; set by {} and {}",
            source("join"),
            source("bootstrap")
        );
        Err(Failure::usage_of("serve", message))
    }
}

fn node_id(text: &str) -> Option<NodeId> {
    let number = whole_number(text).and_then(|number| u16::try_from(number).ok())?;
    (number < u16::MAX).then_some(NodeId(number))
}

/// Digits and nothing else: no sign, no blanks.
fn whole_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `N`, `Nk`, `Nm` or `Ng`, in powers of 1024.
fn bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    whole_number(digits)?.checked_mul(1 << shift)
}
