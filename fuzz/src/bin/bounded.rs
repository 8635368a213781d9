//! A fuzzer for machines without cargo-fuzz: `bounded TARGET SECONDS [SEED]` changes what stands in `corpus/TARGET` at random
//! and hands it to the target. It knows nothing of coverage. What fails is written to `artifacts/TARGET`, and can be given to
//! `bounded TARGET FILE` again.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use faultlayer_fuzz::TARGETS;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// Pieces that mean something to a target.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "null", "true", "0", "-1", "1e308", "\"\"", "\"a\"", "\"b\"", "\"a.b\"", "\"$or\"",
    "\"exists\"", "\"prefix\"", "\"suffix\"", "\"anything-but\"", "\"equals-ignore-case\"", "\"wildcard\"", "\"numeric\"", "\"cidr\"",
    "false", "\"*\"", "\"10.0.0.1\"", "\"::1\"", "\\u0041", "\\ud83e", "é", "🦀", "\"faults\"", "\"kind\"", "\"rate\"", "\"match\"", "\"event\"",
    "{\"a\":[1]}", "[{\"a\":1},{\"b\":2}]", "{\"exists\":false}",
];

fn mutate(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(7) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..end, WORDS[random.below(WORDS.len())].bytes())),
            2 => bytes.insert(at, random.below(256) as u8),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            4 => {
                let repeated = bytes[at..end].repeat(random.below(20));
                drop(bytes.splice(at..at, repeated));
            }
            5 => {
                // A piece of another one: from one bracket or comma on.
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(60)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
            _ => {
                let piece: Vec<u8> = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                drop(bytes.splice(to..to, piece));
            }
        }
    }
    bytes.truncate(20_000);
    bytes
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (name, what) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    let seed = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let Some((_, target)) = TARGETS.iter().find(|(target, _)| *target == name) else {
        return eprintln!("bounded: expected one of {:?}, got `{name}`", TARGETS.iter().map(|(name, _)| name).collect::<Vec<_>>());
    };
    let Ok(seconds) = what.parse() else {
        return target(&fs::read(&what).unwrap_or_else(|error| panic!("cannot read `{what}`: {error}")));
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(here.join("corpus").join(&name)).expect("a corpus").flatten();
    let mut corpus: Vec<Vec<u8>> = files.filter_map(|file| fs::read(file.path()).ok()).collect();
    corpus.sort();
    let (mut random, start, mut count, mut failures) = (Random(seed), Instant::now(), 0_u64, 0);
    while start.elapsed() < Duration::from_secs(seconds) && failures < 5 {
        let input = mutate(&corpus, &mut random);
        count += 1;
        if catch_unwind(|| target(&input)).is_err() {
            let artifacts = here.join("artifacts").join(&name);
            fs::create_dir_all(&artifacts).expect("a folder for artifacts");
            let file = artifacts.join(format!("{seed}-{count}"));
            fs::write(&file, &input).expect("an artifact written");
            eprintln!("{}", file.display());
            failures += 1;
        }
    }
    println!("{name}: {count} inputs from {} in {} s, {failures} failures", corpus.len(), start.elapsed().as_secs());
    std::process::exit(i32::from(failures > 0));
}
