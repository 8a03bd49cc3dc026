//! A message that a hand publishes once more, as one who restores a stream may.

use super::{reader::Mirror, server::SimServer, world::LARGE, writer::Writer};
use crate::cursor::Start;

fn ids(mirror: &Mirror) -> Vec<(u64, u64)> {
    let replay = mirror.state.log().replay(Start::Oldest);
    let events = replay.with_cursors();
    events
        .map(|(at, event)| (at.seq().get(), event.id))
        .collect()
}

/// The writer takes it for the end of a stream that has fallen back, and counts what came after it
/// as lost: those who have it keep it.
#[test]
fn n03_what_is_published_again_is_passed_over_and_nothing_is_lost() {
    let server = SimServer::default();
    let mut writer = Writer::open(&server);
    let write = |writer: &mut Writer, id| {
        writer.append(id);
        assert_eq!(writer.write(4), [id]);
    };
    (1..=3).for_each(|id| write(&mut writer, id));
    let mut mirrors = vec![Mirror::open(&server, LARGE).unwrap()];
    for again in [2, 4] {
        server.publish_again(again);
        mirrors.push(Mirror::open(&server, LARGE).unwrap());
        mirrors.iter_mut().for_each(Mirror::follow);
        for mirror in &mirrors {
            assert_eq!(ids(mirror), [(1, 1), (2, 2), (3, 3)], "{again}");
        }
    }
    write(&mut writer, 4);
    mirrors.push(Mirror::open(&server, LARGE).unwrap());
    mirrors.iter_mut().for_each(Mirror::follow);
    for mirror in &mirrors {
        assert_eq!(ids(mirror), [(1, 1), (2, 2), (3, 3), (4, 4)]);
    }
}
