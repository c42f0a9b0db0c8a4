//! Inline commands: words as they are typed.

/// Appends a command as an array of strings.
pub(super) fn write_command(out: &mut Vec<u8>, arguments: &[Vec<u8>]) {
    out.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        out.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        out.extend_from_slice(argument);
        out.extend_from_slice(b"\r\n");
    }
}

/// The words of an inline command, quotes and escapes undone as Redis does it; `None`: quotes that do not fit.
pub(super) fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut at = 0;
    let hex = |digits: Option<&[u8]>| {
        digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok())
    };
    loop {
        while line.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        if at == line.len() {
            return Some(words);
        }
        let mut word = Vec::new();
        while let Some(&byte) = line.get(at).filter(|byte| !byte.is_ascii_whitespace()) {
            at += 1;
            if !matches!(byte, b'"' | b'\'') {
                word.push(byte);
                continue;
            }
            loop {
                let &inner = line.get(at)?;
                at += 1;
                match (inner, line.get(at)) {
                    (b'\\', Some(b'\'')) if byte == b'\'' => word.push(b'\''),
                    (b'\\', Some(b'x')) if byte == b'"' && hex(line.get(at + 1..at + 3)).is_some() => {
                        word.extend(hex(line.get(at + 1..at + 3)));
                        at += 2;
                    }
                    (b'\\', Some(&escaped)) if byte == b'"' => word.push(match escaped {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'a' => 7,
                        other => other,
                    }),
                    (quote, _) if quote == byte => break,
                    (other, _) => {
                        word.push(other);
                        continue;
                    }
                }
                at += 1;
            }
            // A closing quote ends the word.
            if line.get(at).is_some_and(|next| !next.is_ascii_whitespace()) {
                return None;
            }
        }
        words.push(word);
    }
}
