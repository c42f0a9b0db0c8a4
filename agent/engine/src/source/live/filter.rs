//! The packet filter that runs in the kernel (classic BPF), so that what nobody wants never costs a copy: no other
//! than IP packets, none of our own traffic (it would feed on itself), loopback's once, and only some ports if so
//! wanted.
//!
//! It looks at what it can see cheaply, the outermost IP header. What needs a closer look (fragments, extension headers,
//! tunnels) passes, and [`crate::gate`] decides once it is decoded.

use std::net::IpAddr;

use crate::gate::Wanted;

/// Bound of [`Wanted::exclude`] and [`Wanted::ports`]: a program may have 4,096 instructions (BPF_MAXINSNS), an excluded
/// IPv6 end takes 32.
pub const MAX_ENTRIES: usize = 64;

/// One instruction: code, jumps if true and if false, operand (linux/filter.h, `struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Instruction {
    pub code: u16,
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// Instruction codes: class, size, mode (linux/bpf_common.h).
pub(super) mod op {
    pub const LD_IMM: u16 = 0x00;
    pub const LD_WORD: u16 = 0x20;
    pub const LD_HALF: u16 = 0x28;
    pub const LD_WORD_X: u16 = 0x40;
    pub const LD_HALF_X: u16 = 0x48;
    pub const LD_BYTE_X: u16 = 0x50;
    pub const LD_MEM: u16 = 0x60;
    pub const LDX_IMM: u16 = 0x01;
    pub const ST: u16 = 0x02;
    pub const ADD_X: u16 = 0x0c;
    pub const AND: u16 = 0x54;
    pub const LSH: u16 = 0x64;
    pub const TAX: u16 = 0x07;
    pub const JA: u16 = 0x05;
    pub const JEQ: u16 = 0x15;
    pub const JSET: u16 = 0x45;
    pub const RET: u16 = 0x06;
}

/// Where the kernel lets a filter read what is not in the packet's bytes (linux/filter.h).
pub(super) mod place {
    const ANCILLARY: u32 = 0xffff_f000;
    pub const PROTOCOL: u32 = ANCILLARY;
    pub const PACKET_TYPE: u32 = ANCILLARY + 4;
    pub const HARDWARE: u32 = ANCILLARY + 28;
    /// Offsets from here count from the network header.
    pub const NETWORK: u32 = 0xfff0_0000;
}

/// Where a program keeps what it has read.
mod cell {
    pub(super) const SOURCE: u32 = 0;
    pub(super) const TARGET: u32 = 1;
    pub(super) const SOURCE_PORT: u32 = 2;
    pub(super) const TARGET_PORT: u32 = 3;
}

const ETHERNET: u32 = libc::ARPHRD_ETHER as u32;
const LOOPBACK: u32 = libc::ARPHRD_LOOPBACK as u32;
const TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];
const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const TCP_UDP: [u32; 2] = [6, 17];
/// ICMP; IP, IPv6 and GRE tunnels.
const V4_OTHERS: [u32; 4] = [1, 4, 41, 47];
/// The same, and extension headers (RFC 8200 section 4).
const V6_OTHERS: [u32; 9] = [0, 4, 41, 43, 44, 47, 51, 58, 60];
/// UDP ports of tunnels that may hold anything: VXLAN, Linux's VXLAN, Geneve.
const TUNNELS: [u32; 3] = [4789, 8472, 6081];

pub(super) type Code = Vec<Instruction>;

/// The program for what is wanted; a packet that it accepts is taken up to `snap_length` bytes.
pub(super) fn program(wanted: &Wanted, snap_length: u32) -> Code {
    let accept = ret(snap_length);
    let mut code = network_header();
    code.extend(when(&[IPV4], ipv4(wanted, &accept)));
    code.extend(when(&[IPV6], ipv6(wanted, &accept)));
    code.extend(ret(0));
    code
}

/// The program that takes no packet.
pub(super) fn nothing() -> Code {
    ret(0)
}

/// Leaves the EtherType of the IP header in A and where it begins in X.
fn network_header() -> Code {
    let second_tag = vec![op(op::LD_HALF, 20), op(op::LDX_IMM, 22)];
    let mut tag = vec![op(op::LD_HALF, 16), op(op::LDX_IMM, 18)];
    tag.extend(when(&TAGS, second_tag));
    let mut ethernet = vec![op(op::LD_HALF, 12), op(op::LDX_IMM, 14)];
    ethernet.extend(when(&TAGS, tag));
    // Of other links only the kernel knows where their header ends.
    let other = vec![op(op::LD_WORD, place::PROTOCOL), op(op::LDX_IMM, place::NETWORK)];

    // On loopback every packet passes twice: as it is sent, and as it is received.
    let mut outgoing = vec![op(op::LD_WORD, place::HARDWARE)];
    outgoing.extend(when(&[LOOPBACK], ret(0)));
    let mut code = vec![op(op::LD_WORD, place::PACKET_TYPE)];
    code.extend(when(&[u32::from(libc::PACKET_OUTGOING)], outgoing));
    code.push(op(op::LD_WORD, place::HARDWARE));
    code.extend(when(&[LOOPBACK], vec![op(op::LD_IMM, ETHERNET)]));
    ethernet.push(op(op::JA, other.len() as u32));
    code.extend(when(&[ETHERNET], ethernet));
    code.extend(other);
    code
}

fn ipv4(wanted: &Wanted, accept: &Code) -> Code {
    let mut ports = vec![op(op::LD_HALF_X, 6)];
    // A later fragment has no ports.
    ports.extend([Instruction { jf: accept.len() as u8, ..op(op::JSET, 0x1fff) }]);
    ports.extend(accept);
    ports.extend([op(op::LD_WORD_X, 12), op(op::ST, cell::SOURCE), op(op::LD_WORD_X, 16), op(op::ST, cell::TARGET)]);
    let header_length = [op(op::LD_BYTE_X, 0), op(op::AND, 0x0f), op(op::LSH, 2), op(op::ADD_X, 0), op(op::TAX, 0)];
    ports.extend(header_length);
    ports.extend(read_ports(0));
    for end in &wanted.exclude {
        for (address, port) in [(cell::SOURCE, cell::SOURCE_PORT), (cell::TARGET, cell::TARGET_PORT)] {
            let IpAddr::V4(ip) = end.ip() else { continue };
            let mut same_port = ret(0);
            if !ip.is_unspecified() {
                same_port = vec![op(op::LD_MEM, address)];
                same_port.extend(when(&[u32::from(ip)], ret(0)));
            }
            ports.push(op(op::LD_MEM, port));
            ports.extend(when(&[u32::from(end.port())], same_port));
        }
    }
    ports.extend(choose(wanted, accept));
    protocols(9, ports, &V4_OTHERS, accept)
}

fn ipv6(wanted: &Wanted, accept: &Code) -> Code {
    let mut ports = read_ports(40).to_vec();
    for end in &wanted.exclude {
        for (address, port) in [(8, cell::SOURCE_PORT), (24, cell::TARGET_PORT)] {
            let IpAddr::V6(ip) = end.ip() else { continue };
            let mut same_port = ret(0);
            if !ip.is_unspecified() {
                let octets = ip.octets();
                let (words, _) = octets.as_chunks::<4>();
                for (i, word) in words.iter().enumerate().rev() {
                    let same_word = same_port;
                    same_port = vec![op(op::LD_WORD_X, address + 4 * i as u32)];
                    same_port.extend(when(&[u32::from_be_bytes(*word)], same_word));
                }
            }
            ports.push(op(op::LD_MEM, port));
            ports.extend(when(&[u32::from(end.port())], same_port));
        }
    }
    ports.extend(choose(wanted, accept));
    protocols(6, ports, &V6_OTHERS, accept)
}

/// Decides by the protocol number at `offset`.
fn protocols(offset: u32, ports: Code, others: &[u32], accept: &Code) -> Code {
    let mut code = vec![op(op::LD_BYTE_X, offset)];
    code.extend(when(&TCP_UDP, ports));
    code.extend(when(others, accept.clone()));
    code.extend(ret(0));
    code
}

fn read_ports(offset: u32) -> [Instruction; 4] {
    [
        op(op::LD_HALF_X, offset),
        op(op::ST, cell::SOURCE_PORT),
        op(op::LD_HALF_X, offset + 2),
        op(op::ST, cell::TARGET_PORT),
    ]
}

/// Accepts what goes from or to a wanted port, or may hold it.
fn choose(wanted: &Wanted, accept: &Code) -> Code {
    if wanted.ports.is_empty() {
        return accept.clone();
    }
    let ports: Vec<u32> = wanted.ports.iter().map(|&port| u32::from(port)).chain(TUNNELS).collect();
    let mut code = Code::new();
    for cell in [cell::SOURCE_PORT, cell::TARGET_PORT] {
        code.push(op(op::LD_MEM, cell));
        code.extend(when(&ports, accept.clone()));
    }
    code.extend(ret(0));
    code
}

fn op(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

fn ret(k: u32) -> Code {
    vec![op(op::RET, k)]
}

/// Runs `body` if A is one of `values`, else what follows it.
fn when(values: &[u32], body: Code) -> Code {
    let mut code = Code::new();
    for (i, &value) in values.iter().enumerate() {
        // Over the other comparisons, and the jump behind them.
        code.push(Instruction { jt: (values.len() - i) as u8, ..op(op::JEQ, value) });
    }
    code.push(op(op::JA, body.len() as u32)); // a comparison alone can't jump further than 255
    code.extend(body);
    code
}

#[cfg(test)]
mod tests;
