//! The rows of the command table, and a name for each that `match` understands.
//!
//! Arities, flags, access categories and places of keys are those of Redis 7.0.15, for that is what clients
//! rely on; `setinfo`, `no-touch` and `myshardid` came with 7.2, MSETEX, DELEX and DIGEST with 8.4, and
//! DELIFEQ is Valkey's, whose version it names. The subcommands of a container follow it at once.
//!
//! Differences: CLUSTER SHARDS and CLUSTER SLOTS may be asked while the store is being loaded, and COMMAND
//! GETKEYS takes a request of one word; both as in newer versions.
//!
//! A command is added by a row here; the place that carries it out matches on its [`Verb`].

use super::command_table::{Categories, CommandSpec, Flags, KeyUse, Keys};

// What is done to a key, as Redis says it: RO reads, RW reads and writes, OW overwrites, RM removes; then
// whether a client sees the value, and what happens to it.
const LOOK: KeyUse = &["RO"];
const READ: KeyUse = &["RO", "access"];
const ADD: KeyUse = &["RW", "insert"];
const ALTER: KeyUse = &["RW", "update"];
const CHANGE: KeyUse = &["RW", "access", "update"];
const VARIABLE: KeyUse = &["RW", "access", "update", "variable_flags"];
const TAKE: KeyUse = &["RW", "access", "delete"];
const OVERWRITE: KeyUse = &["OW", "update"];
const INSERT: KeyUse = &["OW", "insert"];
const DELETE: KeyUse = &["RM", "delete"];

const fn is_top_level(name: &str) -> bool {
    let name = name.as_bytes();
    let mut at = 0;
    while at < name.len() {
        if name[at] == b'|' {
            return false;
        }
        at += 1;
    }
    true
}

macro_rules! commands {
    ($(
        $verb:ident = $name:literal $arity:literal [$($flag:ident)*] [$($category:ident)*] $keys:expr,
            $group:literal $since:literal $complexity:literal $summary:literal;
    )*) => {
        /// A command or subcommand.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Verb {
            $(#[doc = $summary] $verb,)*
        }

        /// Every command and subcommand, in the order of [`Verb`].
        pub static COMMANDS: &[CommandSpec] = &[$(CommandSpec {
            verb: Verb::$verb,
            name: $name,
            is_top_level: is_top_level($name),
            arity: $arity,
            flags: Flags::NONE$(.and(Flags::$flag))*,
            explicit_categories: Categories::NONE$(.and(Categories::$category))*,
            keys: $keys,
            group: $group,
            since: $since,
            complexity: $complexity,
            summary: $summary,
        },)*];
    };
}

commands! {
    // Connections.
    Hello = "hello" -1 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] [CONNECTION] Keys::None,
        "connection" "6.0.0" "O(1)" "Chooses the protocol version; may authenticate and name the connection.";
    Auth = "auth" -2 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] [CONNECTION] Keys::None,
        "connection" "1.0.0" "O(1)" "Proves who the client is.";
    Ping = "ping" -1 [FAST] [CONNECTION] Keys::None,
        "connection" "1.0.0" "O(1)" "Answers PONG, or what was sent along.";
    Echo = "echo" 2 [LOADING STALE FAST] [CONNECTION] Keys::None,
        "connection" "1.0.0" "O(1)" "Answers what was sent along.";
    Quit = "quit" -1 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] [CONNECTION] Keys::None,
        "connection" "1.0.0" "O(1)" "Closes the connection.";
    Reset = "reset" 1 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] [CONNECTION] Keys::None,
        "connection" "6.2.0" "O(1)" "Makes the connection as it was at its start.";
    Select = "select" 2 [LOADING STALE FAST] [CONNECTION] Keys::None,
        "connection" "1.0.0" "O(1)" "Chooses the database; there is only number 0.";
    Asking = "asking" 1 [FAST] [CONNECTION] Keys::None,
        "cluster" "3.0.0" "O(1)" "Announces a request that was sent here by ASK.";
    Readonly = "readonly" 1 [LOADING STALE FAST] [CONNECTION] Keys::None,
        "cluster" "3.0.0" "O(1)" "Allows a replica to answer reads itself.";
    Readwrite = "readwrite" 1 [LOADING STALE FAST] [CONNECTION] Keys::None,
        "cluster" "3.0.0" "O(1)" "Takes back READONLY.";
    Client = "client" -2 [CONTAINER] [] Keys::None,
        "connection" "2.4.0" "Depends on the subcommand" "Holds what is about connections.";
    ClientCaching = "client|caching" 3 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "6.0.0" "O(1)" "Tells whether the keys of the next request are tracked.";
    ClientGetname = "client|getname" 2 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "2.6.9" "O(1)" "Tells the name of the connection.";
    ClientGetredir = "client|getredir" 2 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "6.0.0" "O(1)" "Tells where invalidations are sent.";
    ClientHelp = "client|help" 2 [LOADING STALE] [CONNECTION] Keys::None,
        "connection" "5.0.0" "O(1)" "Tells what the subcommands are for.";
    ClientId = "client|id" 2 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "5.0.0" "O(1)" "Tells the number of the connection.";
    ClientInfo = "client|info" 2 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "6.2.0" "O(1)" "Tells all about the connection.";
    ClientKill = "client|kill" -3 [ADMIN NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "2.4.0" "O(N) with N connections" "Closes connections.";
    ClientList = "client|list" -2 [ADMIN NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "2.4.0" "O(N) with N connections" "Tells all about every connection.";
    ClientNoEvict = "client|no-evict" 3 [ADMIN NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "7.0.0" "O(1)" "Keeps the connection when others are closed for want of memory.";
    ClientNoTouch = "client|no-touch" 3 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "7.2.0" "O(1)" "Lets reads of the connection not count as use of a key.";
    ClientPause = "client|pause" -3 [ADMIN NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "2.9.50" "O(1)" "Holds back requests for a time.";
    ClientReply = "client|reply" 3 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "3.2.0" "O(1)" "Chooses whether requests are answered.";
    ClientSetinfo = "client|setinfo" 4 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "7.2.0" "O(1)" "Notes the client's library and its version.";
    ClientSetname = "client|setname" 3 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "2.6.9" "O(1)" "Names the connection.";
    ClientTracking = "client|tracking" -3 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "6.0.0" "O(1)" "Begins or ends telling the client which keys have changed.";
    ClientTrackinginfo = "client|trackinginfo" 2 [NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "6.2.0" "O(1)" "Tells how keys are tracked for the connection.";
    ClientUnblock = "client|unblock" -3 [ADMIN NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "5.0.0" "O(log N) with N connections" "Ends the wait of another connection.";
    ClientUnpause = "client|unpause" 2 [ADMIN NOSCRIPT LOADING STALE] [CONNECTION] Keys::None,
        "connection" "6.2.0" "O(N) with N held connections" "Takes back CLIENT PAUSE.";

    // The server and its cluster.
    Command = "command" -1 [LOADING STALE CONTAINER] [CONNECTION] Keys::None,
        "server" "2.8.13" "O(N) with N commands" "Tells all about every command.";
    CommandCount = "command|count" 2 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "2.8.13" "O(1)" "Tells how many commands there are.";
    CommandDocs = "command|docs" -2 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "7.0.0" "O(N) with N commands asked for" "Tells what commands are for.";
    CommandGetkeys = "command|getkeys" -3 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "2.8.13" "O(N) with N arguments" "Tells which words of a request are keys.";
    CommandGetkeysandflags = "command|getkeysandflags" -3 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "7.0.0" "O(N) with N arguments" "Tells which words of a request are keys, and for what use.";
    CommandHelp = "command|help" 2 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "5.0.0" "O(1)" "Tells what the subcommands are for.";
    CommandInfo = "command|info" -2 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "2.8.13" "O(N) with N commands asked for" "Tells all about some commands.";
    CommandList = "command|list" -2 [LOADING STALE] [CONNECTION] Keys::None,
        "server" "7.0.0" "O(N) with N commands" "Tells the names of commands.";
    Config = "config" -2 [CONTAINER] [] Keys::None,
        "server" "2.0.0" "Depends on the subcommand" "Holds what is about the configuration.";
    ConfigGet = "config|get" -3 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.0.0" "O(N) with N patterns" "Tells the values of settings.";
    ConfigHelp = "config|help" 2 [LOADING STALE] [] Keys::None,
        "server" "5.0.0" "O(1)" "Tells what the subcommands are for.";
    ConfigResetstat = "config|resetstat" 2 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.0.0" "O(1)" "Begins the counts of INFO anew.";
    ConfigRewrite = "config|rewrite" 2 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.8.0" "O(1)" "Writes the settings to their file.";
    ConfigSet = "config|set" -4 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.0.0" "O(N) with N settings" "Changes settings.";
    Info = "info" -1 [LOADING STALE] [DANGEROUS] Keys::None,
        "server" "1.0.0" "O(1)" "Tells how the server is doing.";
    Dbsize = "dbsize" 1 [READONLY FAST] [KEYSPACE] Keys::None,
        "server" "1.0.0" "O(1)" "Tells how many keys there are.";
    Time = "time" 1 [LOADING STALE FAST] [] Keys::None,
        "server" "2.6.0" "O(1)" "Tells the time.";
    Role = "role" 1 [NOSCRIPT LOADING STALE FAST] [ADMIN DANGEROUS] Keys::None,
        "server" "2.8.12" "O(1)" "Tells whether this replica leads or follows.";
    Wait = "wait" 3 [NOSCRIPT] [CONNECTION] Keys::None,
        "generic" "3.0.0" "O(1)" "Waits until replicas have the writes of the connection.";
    Latency = "latency" -2 [CONTAINER] [] Keys::None,
        "server" "2.8.13" "Depends on the subcommand" "Holds what is about slow events.";
    LatencyDoctor = "latency|doctor" 2 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.8.13" "O(1)" "Tells in words what was slow.";
    LatencyGraph = "latency|graph" 3 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.8.13" "O(1)" "Draws how slow an event was over time.";
    LatencyHelp = "latency|help" 2 [LOADING STALE] [] Keys::None,
        "server" "2.8.13" "O(1)" "Tells what the subcommands are for.";
    LatencyHistogram = "latency|histogram" -2 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "7.0.0" "O(N) with N commands asked for" "Tells how long commands took.";
    LatencyHistory = "latency|history" 3 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.8.13" "O(1)" "Tells how slow an event was over time.";
    LatencyLatest = "latency|latest" 2 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.8.13" "O(1)" "Tells how slow every event was lately.";
    LatencyReset = "latency|reset" -2 [ADMIN NOSCRIPT LOADING STALE] [] Keys::None,
        "server" "2.8.13" "O(1)" "Forgets how slow events were.";
    Slowlog = "slowlog" -2 [CONTAINER] [] Keys::None,
        "server" "2.2.12" "Depends on the subcommand" "Holds what is about slow commands.";
    SlowlogGet = "slowlog|get" -2 [ADMIN LOADING STALE] [] Keys::None,
        "server" "2.2.12" "O(N) with N answers" "Tells which commands were slow.";
    SlowlogHelp = "slowlog|help" 2 [LOADING STALE] [] Keys::None,
        "server" "6.2.0" "O(1)" "Tells what the subcommands are for.";
    SlowlogLen = "slowlog|len" 2 [ADMIN LOADING STALE] [] Keys::None,
        "server" "2.2.12" "O(1)" "Tells how many slow commands are remembered.";
    SlowlogReset = "slowlog|reset" 2 [ADMIN LOADING STALE] [] Keys::None,
        "server" "2.2.12" "O(N) with N slow commands" "Forgets the slow commands.";
    Shutdown = "shutdown" -1 [ADMIN NOSCRIPT LOADING STALE NO_MULTI ALLOW_BUSY] [] Keys::None,
        "server" "1.0.0" "O(1)" "Stops this server.";
    Cluster = "cluster" -2 [CONTAINER] [] Keys::None,
        "cluster" "3.0.0" "Depends on the subcommand" "Holds what is about the cluster.";
    ClusterCountkeysinslot = "cluster|countkeysinslot" 3 [STALE] [] Keys::None,
        "cluster" "3.0.0" "O(N) with N keys" "Tells how many keys a hash slot has.";
    ClusterGetkeysinslot = "cluster|getkeysinslot" 4 [STALE] [] Keys::None,
        "cluster" "3.0.0" "O(N) with N keys" "Tells some keys of a hash slot.";
    ClusterHelp = "cluster|help" 2 [LOADING STALE] [] Keys::None,
        "cluster" "5.0.0" "O(1)" "Tells what the subcommands are for.";
    ClusterInfo = "cluster|info" 2 [STALE] [] Keys::None,
        "cluster" "3.0.0" "O(1)" "Tells how the cluster is doing.";
    ClusterKeyslot = "cluster|keyslot" 3 [STALE] [] Keys::None,
        "cluster" "3.0.0" "O(N) with N bytes" "Tells the hash slot of a key.";
    ClusterLinks = "cluster|links" 2 [STALE] [] Keys::None,
        "cluster" "7.0.0" "O(N) with N replicas" "Tells the links between replicas.";
    ClusterMyid = "cluster|myid" 2 [STALE] [] Keys::None,
        "cluster" "3.0.0" "O(1)" "Tells the id of this replica.";
    ClusterMyshardid = "cluster|myshardid" 2 [STALE] [] Keys::None,
        "cluster" "7.2.0" "O(1)" "Tells the id of the group of this replica.";
    ClusterNodes = "cluster|nodes" 2 [STALE] [] Keys::None,
        "cluster" "3.0.0" "O(N) with N replicas" "Tells all about every replica.";
    ClusterReplicas = "cluster|replicas" 3 [ADMIN STALE] [] Keys::None,
        "cluster" "5.0.0" "O(N) with N replicas" "Tells the followers of a leader.";
    ClusterShards = "cluster|shards" 2 [LOADING STALE] [] Keys::None,
        "cluster" "7.0.0" "O(N) with N replicas" "Tells which replicas have which hash slots.";
    ClusterSlots = "cluster|slots" 2 [LOADING STALE] [] Keys::None,
        "cluster" "3.0.0" "O(N) with N replicas" "Tells who has which hash slots, in the older form.";

    // The members of the cluster.
    RaftAdd = "raft.add" 3 [ADMIN NOSCRIPT STALE NO_MULTI] [ADMIN DANGEROUS] Keys::None,
        "cluster" "1.0.0" "O(1)" "Takes in a node, which listens from then on.";
    RaftMembers = "raft.members" 1 [ADMIN LOADING STALE] [ADMIN] Keys::None,
        "cluster" "1.0.0" "O(N) with N members" "Tells the members, where they are, and which of them vote.";
    RaftPromote = "raft.promote" -2 [ADMIN NOSCRIPT STALE NO_MULTI] [ADMIN DANGEROUS] Keys::None,
        "cluster" "1.0.0" "O(1)" "Lets a node vote that has listened, perhaps in the place of another.";
    RaftRemove = "raft.remove" 2 [ADMIN NOSCRIPT STALE NO_MULTI] [ADMIN DANGEROUS] Keys::None,
        "cluster" "1.0.0" "O(1)" "Removes a member.";
    RaftTransfer = "raft.transfer" -1 [ADMIN NOSCRIPT STALE NO_MULTI] [ADMIN DANGEROUS] Keys::None,
        "cluster" "1.0.0" "O(1)" "Lets another node lead.";

    // Strings.
    Get = "get" 2 [READONLY FAST] [STRING] Keys::One(READ),
        "string" "1.0.0" "O(1)" "Tells the value of a key.";
    Set = "set" -3 [WRITE DENYOOM] [STRING] Keys::One(VARIABLE),
        "string" "1.0.0" "O(1)" "Gives a key a value, perhaps on a condition, perhaps for a time.";
    Getex = "getex" -2 [WRITE FAST] [STRING] Keys::One(CHANGE),
        "string" "6.2.0" "O(1)" "Tells the value of a key, and may change how long it has it.";
    Getdel = "getdel" 2 [WRITE FAST] [STRING] Keys::One(TAKE),
        "string" "6.2.0" "O(1)" "Tells the value of a key and deletes the key.";
    Getset = "getset" 3 [WRITE DENYOOM FAST] [STRING] Keys::One(CHANGE),
        "string" "1.0.0" "O(1)" "Gives a key a value and tells the one it had.";
    Setnx = "setnx" 3 [WRITE DENYOOM FAST] [STRING] Keys::One(INSERT),
        "string" "1.0.0" "O(1)" "Gives a key a value if it has none.";
    Setex = "setex" 4 [WRITE DENYOOM] [STRING] Keys::One(OVERWRITE),
        "string" "2.0.0" "O(1)" "Gives a key a value for some seconds.";
    Psetex = "psetex" 4 [WRITE DENYOOM] [STRING] Keys::One(OVERWRITE),
        "string" "2.6.0" "O(1)" "Gives a key a value for some milliseconds.";
    Mget = "mget" -2 [READONLY FAST] [STRING] Keys::All(READ),
        "string" "1.0.0" "O(N) with N keys" "Tells the values of keys.";
    Mset = "mset" -3 [WRITE DENYOOM] [STRING] Keys::Pairs(OVERWRITE),
        "string" "1.0.1" "O(N) with N keys" "Gives keys values.";
    Msetnx = "msetnx" -3 [WRITE DENYOOM] [STRING] Keys::Pairs(INSERT),
        "string" "1.0.1" "O(N) with N keys" "Gives keys values if none of them has one.";
    Msetex = "msetex" -4 [WRITE DENYOOM MOVABLEKEYS] [STRING] Keys::Counted(OVERWRITE),
        "string" "8.4.0" "O(N) with N keys" "Gives keys values, perhaps on a condition, perhaps for a time.";
    Incr = "incr" 2 [WRITE DENYOOM FAST] [STRING] Keys::One(CHANGE),
        "string" "1.0.0" "O(1)" "Adds one to an integer.";
    Decr = "decr" 2 [WRITE DENYOOM FAST] [STRING] Keys::One(CHANGE),
        "string" "1.0.0" "O(1)" "Takes one from an integer.";
    Incrby = "incrby" 3 [WRITE DENYOOM FAST] [STRING] Keys::One(CHANGE),
        "string" "1.0.0" "O(1)" "Adds to an integer.";
    Decrby = "decrby" 3 [WRITE DENYOOM FAST] [STRING] Keys::One(CHANGE),
        "string" "1.0.0" "O(1)" "Takes from an integer.";
    Incrbyfloat = "incrbyfloat" 3 [WRITE DENYOOM FAST] [STRING] Keys::One(CHANGE),
        "string" "2.6.0" "O(1)" "Adds to a float.";
    Append = "append" 3 [WRITE DENYOOM FAST] [STRING] Keys::One(ADD),
        "string" "2.0.0" "O(N) with N bytes" "Adds bytes at the end of a value.";
    Strlen = "strlen" 2 [READONLY FAST] [STRING] Keys::One(LOOK),
        "string" "2.2.0" "O(1)" "Tells how long a value is.";
    Getrange = "getrange" 4 [READONLY] [STRING] Keys::One(READ),
        "string" "2.4.0" "O(N) with N bytes told" "Tells a part of a value.";
    Setrange = "setrange" 4 [WRITE DENYOOM] [STRING] Keys::One(ALTER),
        "string" "2.2.0" "O(N) with N bytes" "Overwrites a part of a value.";
    Delex = "delex" -2 [WRITE FAST] [STRING] Keys::One(DELETE),
        "string" "8.4.0" "O(1)" "Deletes a key, perhaps on a condition.";
    Delifeq = "delifeq" 3 [WRITE FAST] [STRING] Keys::One(DELETE),
        "string" "9.0.0" "O(1)" "Deletes a key if it has this value.";
    Digest = "digest" 2 [READONLY FAST] [STRING] Keys::One(READ),
        "string" "8.4.0" "O(N) with N bytes" "Tells a hash of a value.";

    // Keys of any type.
    Del = "del" -2 [WRITE] [KEYSPACE] Keys::All(DELETE),
        "generic" "1.0.0" "O(N) with N keys" "Deletes keys.";
    Unlink = "unlink" -2 [WRITE FAST] [KEYSPACE] Keys::All(DELETE),
        "generic" "4.0.0" "O(N) with N keys" "Deletes keys.";
    Exists = "exists" -2 [READONLY FAST] [KEYSPACE] Keys::All(LOOK),
        "generic" "1.0.0" "O(N) with N keys" "Tells how many of these keys there are.";
    Touch = "touch" -2 [READONLY FAST] [KEYSPACE] Keys::All(LOOK),
        "generic" "3.2.1" "O(N) with N keys" "Tells how many of these keys there are.";
    Type = "type" 2 [READONLY FAST] [KEYSPACE] Keys::One(LOOK),
        "generic" "1.0.0" "O(1)" "Tells of what type a value is.";
    Expire = "expire" -3 [WRITE FAST] [KEYSPACE] Keys::One(ALTER),
        "generic" "1.0.0" "O(1)" "Lets a key live for some seconds.";
    Pexpire = "pexpire" -3 [WRITE FAST] [KEYSPACE] Keys::One(ALTER),
        "generic" "2.6.0" "O(1)" "Lets a key live for some milliseconds.";
    Expireat = "expireat" -3 [WRITE FAST] [KEYSPACE] Keys::One(ALTER),
        "generic" "1.2.0" "O(1)" "Lets a key live until a second of Unix time.";
    Pexpireat = "pexpireat" -3 [WRITE FAST] [KEYSPACE] Keys::One(ALTER),
        "generic" "2.6.0" "O(1)" "Lets a key live until a millisecond of Unix time.";
    Persist = "persist" 2 [WRITE FAST] [KEYSPACE] Keys::One(ALTER),
        "generic" "2.2.0" "O(1)" "Lets a key live for ever.";
    Ttl = "ttl" 2 [READONLY FAST] [KEYSPACE] Keys::One(READ),
        "generic" "1.0.0" "O(1)" "Tells how many seconds a key has left.";
    Pttl = "pttl" 2 [READONLY FAST] [KEYSPACE] Keys::One(READ),
        "generic" "2.6.0" "O(1)" "Tells how many milliseconds a key has left.";
    Expiretime = "expiretime" 2 [READONLY FAST] [KEYSPACE] Keys::One(READ),
        "generic" "7.0.0" "O(1)" "Tells at which second of Unix time a key ends.";
    Pexpiretime = "pexpiretime" 2 [READONLY FAST] [KEYSPACE] Keys::One(READ),
        "generic" "7.0.0" "O(1)" "Tells at which millisecond of Unix time a key ends.";
    Keys = "keys" 2 [READONLY] [KEYSPACE DANGEROUS] Keys::None,
        "generic" "1.0.0" "O(N) with N keys there are" "Tells every key that fits a pattern.";
    Scan = "scan" -2 [READONLY] [KEYSPACE] Keys::None,
        "generic" "2.8.0" "O(1) for a call, O(N) for all N keys" "Tells keys, some with every call.";
    Randomkey = "randomkey" 1 [READONLY] [KEYSPACE] Keys::None,
        "generic" "1.0.0" "O(1)" "Tells any key.";
    Rename = "rename" 3 [WRITE] [KEYSPACE] Keys::Two(TAKE, OVERWRITE),
        "generic" "1.0.0" "O(1)" "Gives a value to another key.";
    Renamenx = "renamenx" 3 [WRITE FAST] [KEYSPACE] Keys::Two(TAKE, INSERT),
        "generic" "1.0.0" "O(1)" "Gives a value to another key if that has none.";
    Copy = "copy" -3 [WRITE DENYOOM] [KEYSPACE] Keys::Two(READ, OVERWRITE),
        "generic" "6.2.0" "O(1)" "Gives a value to another key too.";
    Flushdb = "flushdb" -1 [WRITE] [KEYSPACE DANGEROUS] Keys::None,
        "server" "1.0.0" "O(N) with N keys there are" "Deletes every key.";
    Flushall = "flushall" -1 [WRITE] [KEYSPACE DANGEROUS] Keys::None,
        "server" "1.0.0" "O(N) with N keys there are" "Deletes every key.";

    // Transactions.
    Multi = "multi" 1 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] [TRANSACTION] Keys::None,
        "transactions" "1.2.0" "O(1)" "Begins a transaction.";
    Exec = "exec" 1 [NOSCRIPT LOADING STALE SKIP_SLOWLOG] [TRANSACTION] Keys::None,
        "transactions" "1.2.0" "Depends on the requests" "Carries out the transaction.";
    Discard = "discard" 1 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] [TRANSACTION] Keys::None,
        "transactions" "2.0.0" "O(N) with N requests" "Gives up the transaction.";
    Watch = "watch" -2 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] [TRANSACTION] Keys::All(LOOK),
        "transactions" "2.2.0" "O(N) with N keys" "Makes the transaction depend on keys not changing.";
    Unwatch = "unwatch" 1 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] [TRANSACTION] Keys::None,
        "transactions" "2.2.0" "O(1)" "Takes back WATCH.";
}
