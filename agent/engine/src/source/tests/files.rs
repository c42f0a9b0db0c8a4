//! Files on disk and pipes.

use std::time::Duration;

use super::*;

#[test]
fn a_file_on_disk_is_read_and_its_position_told() {
    let path = std::env::temp_dir().join(format!("tapper-{}-position.pcap.gz", std::process::id()));
    let packed = gzip(&every_format()[0].1);
    std::fs::write(&path, &packed).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    assert_eq!(source.position(), 0);
    while !matches!(source.next().unwrap(), Next::End) {}
    assert_eq!(source.position(), packed.len() as u64);
    std::fs::remove_file(&path).unwrap();

    let error = FileSource::open(&path).err().unwrap().to_string();
    assert!(error.ends_with("can't be opened: No such file or directory"), "{error}");
    let error = FileSource::open("/").err().unwrap().to_string();
    assert_eq!(error, "/ can't be opened: is a directory");
    let error = FileSource::open("a\x1b[2Jb").err().unwrap().to_string();
    assert!(!error.contains('\x1b'));
}

#[test]
fn a_pipe_that_waits_says_so_and_goes_on() {
    let file = every_format().swap_remove(0).1;
    let (read_end, mut write_end) = io::pipe().unwrap();
    let mut source = FileSource::from_pipe("-", read_end);
    source.set_idle(Duration::from_millis(1));
    let mut seen = Vec::new();
    for chunk in file.chunks(20) {
        assert!(matches!(source.next(), Ok(Next::Idle)));
        write_end.write_all(chunk).unwrap();
        while let Next::Packet(packet) = source.next().unwrap() {
            seen.push(packet.data.to_vec());
        }
    }
    drop(write_end);
    assert!(matches!(source.next(), Ok(Next::End)));
    assert_eq!(seen, [b"abc".to_vec(), b"defgh".to_vec()]);
}

#[test]
fn a_named_pipe_is_opened_before_anyone_writes_to_it() {
    let path = std::env::temp_dir().join(format!("tapper-{}-fifo", std::process::id()));
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mut source = FileSource::open(&path).unwrap();
    source.set_idle(Duration::from_millis(1));
    assert!(matches!(source.next(), Ok(Next::Idle)));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(&every_format()[0].1).unwrap();
    let all = read_all(source);
    assert_eq!((all.packets, all.error), (two_packets(), None));
    std::fs::remove_file(&path).unwrap();
}
