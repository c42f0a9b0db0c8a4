//! Of which type the reply to a command is: evidence of the order that does not rest on counting.

/// Commands by the first byte of their replies; an error or null may be the reply to any.
const KINDS: [(u8, &str); 4] = [
    (
        b'+',
        "AUTH DISCARD FLUSHALL FLUSHDB HMSET LSET LTRIM MSET MULTI PSETEX RENAME RESTORE SELECT SET SETEX TYPE UNWATCH WATCH",
    ),
    (
        b':',
        "APPEND BITCOUNT DBSIZE DECR DECRBY DEL EXISTS EXPIRE EXPIREAT GETBIT HDEL HEXISTS HINCRBY HLEN HSET HSETNX INCR \
         INCRBY LLEN LPUSH LPUSHX LREM MSETNX PERSIST PEXPIRE PFADD PFCOUNT PTTL PUBLISH RENAMENX RPUSH RPUSHX SADD SCARD \
         SETBIT SETNX SETRANGE SISMEMBER SMOVE SREM STRLEN TTL UNLINK XACK XDEL XLEN XTRIM ZCARD ZCOUNT ZREM",
    ),
    (b'$', "DUMP ECHO GET GETDEL GETEX GETRANGE HGET HINCRBYFLOAT INCRBYFLOAT INFO LINDEX RANDOMKEY RPOPLPUSH"),
    (b'*', "BLPOP BRPOP HKEYS HMGET HSCAN HVALS KEYS LRANGE MGET SCAN SMISMEMBER SSCAN TIME XRANGE ZSCAN"),
];

/// The first byte of replies to this command; 0: they differ, or it is not known.
pub(super) fn of_command(name: &str) -> u8 {
    let is_in = |list: &str| list.split_ascii_whitespace().any(|word| word == name);
    KINDS.iter().find(|(_, names)| is_in(names)).map_or(0, |(kind, _)| *kind)
}

/// Whether a reply may answer a command of this kind. `queued`: a transaction would queue it.
pub(super) fn fits(kind: u8, queued: bool, reply: &[u8]) -> bool {
    if reply == b"+QUEUED\r\n" {
        return queued;
    }
    match reply.first().copied().unwrap_or_default() {
        first @ (b'+' | b':' | b'$' | b'*') => kind == 0 || kind == first || (kind == b'+' && first == b'$'),
        // Errors, nulls, and the types that only RESP3 has.
        _ => true,
    }
}
