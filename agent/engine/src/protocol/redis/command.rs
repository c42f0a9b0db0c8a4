//! What commands mean: which of their arguments are keys, and what they change for the replies that follow.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::kinds;

/// Arguments that are looked at, the command's name being the first; there may be a million.
pub(super) const ARGUMENTS: usize = 32;
/// Bytes of a target.
const TARGET: usize = 512;
/// Longest name of a command; longer ones are none.
const NAME: usize = 32;

/// Where the keys of a command are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    None,
    /// The arguments from the first to the second (negative: from the end, -1 the last), in this step.
    Range(i8, i8, u8),
    /// Their number is this argument, they follow.
    Counted(u8),
    /// The same, behind the destination.
    Stored,
    /// Half of what follows STREAMS.
    Streams,
    /// The second argument, of some subcommands.
    OfSubcommand,
    /// The third, and those behind KEYS.
    Migrate,
}

/// What a command changes for what follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Meaning {
    #[default]
    Plain,
    Auth,
    Hello,
    Acl,
    Config,
    Client,
    Migrate,
    /// It writes or reads values by key.
    Value,
    /// It reads values by field.
    Field,
    Multi,
    Exec,
    Discard,
    Subscribe,
    Unsubscribe,
    Monitor,
    Replicate,
    Reset,
    Ping,
}

/// What is known of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    keys: Keys,
    pub meaning: Meaning,
    /// Its first argument names a subcommand.
    is_container: bool,
    /// It may wait for something to happen.
    pub is_blocking: bool,
    /// See [`kinds`].
    pub kind: u8,
}

/// Names by where their keys are; what is not here takes its first argument for a key.
const BY_KEYS: &[(Keys, &str)] = &[
    (
        Keys::None,
        "ASKING AUTH BGREWRITEAOF BGSAVE DBSIZE DISCARD ECHO EXEC FAILOVER FLUSHALL FLUSHDB HELLO INFO LASTSAVE LOLWUT \
         MONITOR MULTI PING PSYNC QUIT RANDOMKEY READONLY READWRITE REPLCONF REPLICAOF RESET ROLE SAVE SCAN SHUTDOWN \
         SLAVEOF SYNC TIME UNWATCH WAIT WAITAOF",
    ),
    // Patterns, channels, indexes and what containers ask for serve as well to find a request again.
    (Keys::Range(1, 1, 1), "KEYS SELECT PUBLISH SPUBLISH SWAPDB"),
    (Keys::Range(1, -1, 1), "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE"),
    (
        Keys::Range(1, -1, 1),
        "DEL EXISTS MGET PFCOUNT PFMERGE SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE TOUCH UNLINK WATCH",
    ),
    (
        Keys::Range(1, 2, 1),
        "BLMOVE BRPOPLPUSH COPY GEOSEARCHSTORE LCS LMOVE RENAME RENAMENX RPOPLPUSH SMOVE ZRANGESTORE",
    ),
    (Keys::Range(1, -2, 1), "BLPOP BRPOP BZPOPMAX BZPOPMIN"),
    (Keys::Range(1, -1, 2), "MSET MSETNX"),
    (Keys::Range(2, -1, 1), "BITOP"),
    (Keys::Counted(1), "LMPOP SINTERCARD ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION"),
    (Keys::Counted(2), "BLMPOP BZMPOP EVAL EVAL_RO EVALSHA EVALSHA_RO FCALL FCALL_RO"),
    (Keys::Stored, "ZDIFFSTORE ZINTERSTORE ZUNIONSTORE"),
    (Keys::Streams, "XREAD XREADGROUP"),
    (Keys::OfSubcommand, "MEMORY OBJECT XGROUP XINFO"),
    (Keys::Range(2, -1, 1), "CONFIG ACL LATENCY SLOWLOG SENTINEL"),
    (Keys::None, "CLIENT CLUSTER COMMAND DEBUG FUNCTION MODULE SCRIPT PUBSUB"),
    (Keys::Migrate, "MIGRATE"),
    (
        Keys::Range(1, 1, 1),
        "APPEND BITCOUNT BITFIELD BITFIELD_RO BITPOS DECR DECRBY DUMP EXPIRE EXPIREAT EXPIRETIME GEOADD GEODIST \
         GEOHASH GEOPOS GEORADIUS GEORADIUS_RO GEORADIUSBYMEMBER GEORADIUSBYMEMBER_RO GEOSEARCH GET GETBIT GETDEL \
         GETEX GETRANGE GETSET HDEL HEXISTS HEXPIRE HGET HGETALL HGETDEL HGETEX HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET \
         HMSET HPERSIST HPEXPIRE HPTTL HRANDFIELD HSCAN HSET HSETEX HSETNX HSTRLEN HTTL HVALS INCR INCRBY INCRBYFLOAT \
         LINDEX LINSERT LLEN LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MOVE PERSIST PEXPIRE PEXPIREAT PEXPIRETIME \
         PFADD PSETEX PTTL RESTORE RESTORE-ASKING RPOP RPUSH RPUSHX SADD SCARD SET SETBIT SETEX SETNX SETRANGE \
         SISMEMBER SMEMBERS SMISMEMBER SORT SORT_RO SPOP SRANDMEMBER SREM SSCAN STRLEN SUBSTR TTL TYPE XACK XADD \
         XAUTOCLAIM XCLAIM XDEL XLEN XPENDING XRANGE XREVRANGE XSETID XTRIM ZADD ZCARD ZCOUNT ZINCRBY ZLEXCOUNT \
         ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREM ZREMRANGEBYLEX \
         ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE",
    ),
];

const CONTAINERS: &str = "ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB SCRIPT \
                          SENTINEL SLOWLOG XGROUP XINFO";

const BLOCKING: &str = "BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN XREAD XREADGROUP WAIT WAITAOF EVAL EVALSHA FCALL \
     DEBUG FLUSHALL CLIENT SHUTDOWN";

const MEANINGS: &[(Meaning, &str)] = &[
    (Meaning::Auth, "AUTH"),
    (Meaning::Hello, "HELLO"),
    (Meaning::Acl, "ACL"),
    (Meaning::Config, "CONFIG"),
    (Meaning::Client, "CLIENT"),
    (Meaning::Migrate, "MIGRATE"),
    (
        Meaning::Value,
        "APPEND GET GETDEL GETEX GETRANGE GETSET LINDEX LINSERT LPOP LPUSH LPUSHX LRANGE LREM LSET MGET MSET MSETNX \
         PSETEX RPOP RPUSH RPUSHX SADD SET SETEX SETNX SETRANGE SMEMBERS SPOP SRANDMEMBER SREM",
    ),
    (Meaning::Field, "HGET HGETDEL HGETEX HMGET"),
    (Meaning::Multi, "MULTI"),
    (Meaning::Exec, "EXEC"),
    (Meaning::Discard, "DISCARD"),
    (Meaning::Subscribe, "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE"),
    (Meaning::Unsubscribe, "UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE"),
    (Meaning::Monitor, "MONITOR"),
    (Meaning::Replicate, "PSYNC SYNC"),
    (Meaning::Reset, "RESET"),
    (Meaning::Ping, "PING"),
];

static KNOWN: LazyLock<HashMap<&'static [u8], Known, foldhash::fast::RandomState>> = LazyLock::new(|| {
    let is_in = |list: &str, name: &str| list.split_ascii_whitespace().any(|word| word == name);
    let mut known = HashMap::default();
    for (keys, names) in BY_KEYS {
        for name in names.split_ascii_whitespace() {
            let meaning = MEANINGS.iter().find(|(_, names)| is_in(names, name)).map_or(Meaning::Plain, |(m, _)| *m);
            let (is_container, is_blocking) = (is_in(CONTAINERS, name), is_in(BLOCKING, name));
            known.insert(
                name.as_bytes(),
                Known { keys: *keys, meaning, is_container, is_blocking, kind: kinds::of_command(name) },
            );
        }
    }
    known
});

/// A command of a module, or of a newer server.
const UNKNOWN: Known =
    Known { keys: Keys::Range(1, 1, 1), meaning: Meaning::Plain, is_container: false, is_blocking: false, kind: 0 };

/// The first arguments of a command.
#[derive(Clone, Copy)]
pub(super) struct Arguments<'a> {
    listed: [&'a [u8]; ARGUMENTS],
    kept: usize,
    /// How many it has.
    pub count: usize,
}

impl<'a> Arguments<'a> {
    pub fn new() -> Self {
        Self { listed: [&[]; ARGUMENTS], kept: 0, count: 0 }
    }

    pub fn push(&mut self, argument: &'a [u8]) {
        if self.kept < ARGUMENTS {
            self.listed[self.kept] = argument;
            self.kept += 1;
        }
    }

    pub fn get(&self, at: usize) -> &'a [u8] {
        self.listed[..self.kept].get(at).copied().unwrap_or_default()
    }

    pub fn is(&self, at: usize, word: &[u8]) -> bool {
        self.get(at).eq_ignore_ascii_case(word)
    }

    pub fn listed(&self) -> &[&'a [u8]] {
        &self.listed[..self.kept]
    }
}

/// What is known of a command by its name; `None`: of no server that is known.
pub(super) fn find(name: &[u8]) -> Option<Known> {
    let mut upper = [0; NAME];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    KNOWN.get(&*upper).copied()
}

/// Whether it is how names of commands look, those of modules (`JSON.GET`) too.
pub(super) fn is_name(name: &[u8]) -> bool {
    (1..=NAME).contains(&name.len())
        && name[0].is_ascii_alphabetic()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// What is known of a command, and its name and keys appended to the text: as spans, operation and target.
pub(super) fn describe(arguments: &Arguments<'_>, text: &mut Vec<u8>) -> (Known, (u32, u32), (u32, u32)) {
    let name = arguments.get(0);
    let known = find(name).unwrap_or(UNKNOWN);
    text.extend_from_slice(&name[..name.len().min(NAME)]);
    if known.is_container && is_name(arguments.get(1)) {
        text.push(b' ');
        text.extend_from_slice(arguments.get(1));
    }
    text.make_ascii_uppercase();
    let operation = (0, text.len() as u32);
    keys(known.keys, arguments, text);
    (known, operation, (operation.1, text.len() as u32))
}

fn keys(keys: Keys, arguments: &Arguments<'_>, text: &mut Vec<u8>) {
    let start = text.len();
    let count = arguments.count as i64;
    let number = |at: usize| std::str::from_utf8(arguments.get(at)).ok().and_then(|n| n.parse::<i64>().ok());
    let (first, last, step) = match keys {
        Keys::None => return,
        Keys::Range(first, last, step) => {
            let is_named = !arguments.is(1, b"HELP") || first == 1;
            let last = if last < 0 { count + i64::from(last) } else { i64::from(last) };
            // What containers set stays in the body.
            let sets = first == 2 && (arguments.is(1, b"SET") || arguments.is(1, b"SETUSER"));
            (
                i64::from(first),
                if sets {
                    2
                } else if is_named {
                    last
                } else {
                    0
                },
                i64::from(step),
            )
        }
        Keys::Counted(at) => {
            let at = i64::from(at);
            (at + 1, at + number(at as usize).unwrap_or(0), 1)
        }
        Keys::Stored => {
            push(text, start, arguments.get(1));
            (3, 2 + number(2).unwrap_or(0), 1)
        }
        Keys::Streams => {
            let listed = arguments.listed();
            let Some(at) = listed.iter().position(|word| word.eq_ignore_ascii_case(b"STREAMS")) else { return };
            (at as i64 + 1, at as i64 + (count - 1 - at as i64) / 2, 1)
        }
        Keys::OfSubcommand => (2, if arguments.is(1, b"DOCTOR") { 0 } else { 2 }, 1),
        Keys::Migrate => {
            push(text, start, arguments.get(3));
            let Some(at) = arguments.listed().iter().position(|word| word.eq_ignore_ascii_case(b"KEYS")) else {
                return;
            };
            (at as i64 + 1, count - 1, 1)
        }
    };
    let mut at = first;
    while at <= last.min(count - 1) {
        if at >= ARGUMENTS as i64 || text.len() - start >= TARGET {
            text.extend_from_slice(" …".as_bytes());
            return;
        }
        push(text, start, arguments.get(at as usize));
        at += step;
    }
}

/// Adds a key to those that begin at `start`.
fn push(text: &mut Vec<u8>, start: usize, key: &[u8]) {
    if key.is_empty() {
        return;
    }
    if text.len() > start {
        text.push(b' ');
    }
    text.extend_from_slice(&key[..key.len().min(TARGET)]);
}
