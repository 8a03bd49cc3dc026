//! What `#[derive(Versioned)]` must generate.

use super::declare::laws;
use crate::scenes::versions;

laws! {
    $ Derive __derive_laws;

    D01 "version is the field" {
        statement: "The derived `version()` is what a hand-written match over all variants returns, \
            for an enum of one variant and for one of sixty-two.",
        why: "A version read from the wrong field sorts an event into another place in history.",
        bug: "The baseline's match of sixty-two arms is kept by hand, and a second copy of it in its \
            tests.",
        needs: [],
        visits: [VersionZero, VersionMax, History],
        judge: |trial| trial.scene(versions::as_made),
        test: d01_version_is_the_field,
    }
    D02 "no variant is forgotten" {
        statement: "A variant without a version is a compile error at that variant, and all such \
            errors are reported in one compile. (Judged by compiling, in `eventlog-derive`.)",
        why: "An event whose version is made up, or optional, is one that a replay loses.",
        bug: "enum-fields 0.2.0 turns every accessor into an `Option` as soon as one variant lacks \
            the field.",
        needs: [],
        visits: [],
        elsewhere: "not judged here: a compiler's errors are no running log's",
        test: d02_no_variant_is_forgotten,
    }
    D03 "no cost over a match" {
        statement: "The machine code of the derived `version()` is that of the hand-written match. \
            (Judged by comparing it, in `eventlog`'s benches.)",
        why: "It runs once per append; a derive that costs would be written by hand again.",
        bug: "None on record: the law keeps it so.",
        needs: [],
        visits: [],
        elsewhere: "not judged here: a compiler's output is no running log's",
        test: d03_no_cost_over_a_match,
    }
}
