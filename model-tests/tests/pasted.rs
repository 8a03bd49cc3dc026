//! A counterexample as the suite printed it, pasted: it compiles, runs, and shows the bug again.

const BROKEN: model_tests::zoo::NaiveSubject = model_tests::zoo::NaiveSubject {
    bug: Some(model_tests::zoo::Bug::SinceInclusive),
};

#[should_panic(expected = "assertion failed")]
#[test]
fn r02_again() {
    use model_tests::*;
    let subject = BROKEN;
    let case = Case::new(2);
    let log = &subject.open(&case).unwrap() as &dyn Log<_>;
    log.append(subject.event(1, 1));
    assert!(log.events_since(1).is_empty());
}
