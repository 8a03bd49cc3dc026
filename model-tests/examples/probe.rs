use model_tests::crashes::*;
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let start = std::time::Instant::now();
    let r = enumerate(0..n, 3);
    println!("{r} {:?}", start.elapsed());
    for (_, v) in &r.violations {
        println!("{v}");
    }
}
