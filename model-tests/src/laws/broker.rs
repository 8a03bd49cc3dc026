//! What a writer to a broker, and those who read from there, can rely on.

use super::declare::laws;
use crate::scenes::brokers;

laws! {
    $ Broker __broker_laws;

    N01 "a broker has each event once" {
        statement: "What a broker has of a log is its history, without loss, double or reordering, \
            for every placement of lost requests, lost answers, re-sends and restarts. (Judged at a \
            simulated broker; `eventlog`'s tests do the same to a real one, which they kill and stop.)",
        why: "What was sent without an answer may have come. Whoever sends it again without a look has \
            it twice, and whoever does not has it perhaps never.",
        bug: "Our own prototype, without expected sequences: 40, 115 and 383 duplicates and a broken \
            order, in runs in which a NATS server was killed or stopped.",
        needs: [Durable, Broker],
        visits: [Faulted, Reopened],
        judge: |trial| trial.scene(brokers::each_once),
        test: n01_a_broker_has_each_event_once,
    }
    N02 "one writer is acknowledged" {
        statement: "Of two writers to one place at a broker one is acknowledged. The one that is not is \
            told, whatever is lost on the way; either may go on.",
        why: "Two that are both acknowledged write two histories into one another.",
        bug: "Our own prototype, with ids alone: both writers were acknowledged, 32,000 events of two \
            logs interleaved. Our own writer, with sequence numbers alone: of several messages on \
            their way the first was refused after a claim, and the second came in its place.",
        needs: [Durable, Broker],
        assumes: [N01],
        visits: [Acknowledged],
        judge: |trial| trial.scene(brokers::one_writer),
        test: n02_one_writer_is_acknowledged,
    }
    N03 "a cursor is never misread elsewhere" {
        statement: "A cursor of one mirror of a log is honoured or refused on another, also after \
            restarts of all there is and after a broker fell back: what follows it there is exactly \
            what its holder lacks, or it is told. (Judged on `eventlog`'s mirrors, at a real server, \
            in its tests of the feature `nats`.)",
        why: "A load balancer sends a reader that comes back to whichever mirror it likes.",
        bug: "Our own: a mirror that was started after a power cut took the cursors of events that it \
            had taken back for those of others with their numbers.",
        needs: [],
        visits: [],
        elsewhere: "not judged here: mirrors have a server of their own",
        test: n03_a_cursor_is_never_misread_elsewhere,
    }
    N04 "an acknowledgement is called by its level" {
        statement: "What is called durable outlives a power cut of the broker. Where a broker syncs \
            before it acknowledges, what it has acknowledged is called so; where it does not, nothing \
            is.",
        why: "An acknowledgement of what is in a page cache is worth as much as the machine's power \
            supply.",
        bug: "NATS, at its defaults, 2.9.10 and 2.15.1: after a power cut 20,000 of 20,000 acknowledged \
            events were gone, and the stream with them.",
        needs: [Durable, Broker],
        visits: [Acknowledged, PowerCut],
        judge: |trial| trial.scene(brokers::by_its_level),
        test: n04_an_acknowledgement_is_called_by_its_level,
    }
}
