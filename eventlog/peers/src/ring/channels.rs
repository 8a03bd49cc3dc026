//! Bounded channels of which each subscriber gets every event.
//!
//! Subscribers that share an event have it behind an `Arc`, as a program that cares has it; ours
//! needs none. Only ours and `sequenced-broadcast` also keep what has been read.

use std::{
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use eventlog::{EventLog, Subscription, Versioned};
use sequenced_broadcast::{
    SequencedBroadcast, SequencedBroadcastSettings, SequencedReceiver, SequencedSender,
};
use tokio::sync::broadcast;

use super::{CAPACITY, Probe, in_turns, print_head, print_row};
use crate::{event::Event, measure::cpu_each};

const SUBSCRIBERS: [usize; 4] = [1, 4, 64, 1000];
/// Events that are published before the subscribers read them.
const BURST: usize = 64;

/// For so many subscribers.
type Open = fn(usize) -> Probe;

const CONTENDERS: [(&str, Open); 8] = [
    ("eventlog, in batches", probe::<InBatches>),
    ("eventlog, one by one", probe::<OneByOne>),
    ("tokio broadcast, of clones", probe::<Tokio<Event>>),
    ("tokio broadcast, of `Arc`s", probe::<Tokio<Arc<Event>>>),
    ("async-broadcast", probe::<AsyncBroadcast>),
    ("bus", probe::<Bus>),
    ("crossbeam-channel, one each", probe::<Crossbeam>),
    ("sequenced-broadcast", probe::<Sequenced>),
];

pub fn measure() {
    print_head("subscribers", &SUBSCRIBERS.map(|count| count.to_string()));
    let columns = SUBSCRIBERS.map(|subscribers| {
        let mut probes = CONTENDERS.map(|(_, probe)| probe(subscribers));
        in_turns(if subscribers > 64 { 9 } else { 31 }, &mut probes)
    });
    for (at, (name, _)) in CONTENDERS.iter().enumerate() {
        print_row(name, columns.iter().map(|column| column[at]));
    }
}

trait Channel: 'static {
    fn open(subscribers: usize) -> Self;

    fn publish(&mut self, event: Event);

    /// Every subscriber reads what is there for it. Returns how many events that were.
    fn read(&mut self) -> usize;
}

fn probe<C: Channel>(subscribers: usize) -> Probe {
    let count = if subscribers > 64 { 1024 } else { 4096 };
    let mut channel = C::open(subscribers);
    Box::new(move || {
        let mut events: Vec<_> = (1..=count as u64).map(Event::new).collect();
        let mut events = events.drain(..);
        let mut read = 0;
        let each = cpu_each(count, || {
            while events.len() > 0 {
                for event in events.by_ref().take(BURST) {
                    channel.publish(event);
                }
                read += channel.read();
            }
        });
        assert_eq!(read, count * subscribers, "each got every event");
        each
    })
}

/// Lets each subscriber read, one event after the other, until there is none.
fn read_each<S>(subscribers: &mut [S], read: impl Fn(&mut S) -> Option<u64>) -> usize {
    let mut count = 0;
    for subscriber in subscribers {
        while let Some(version) = read(subscriber) {
            black_box(version);
            count += 1;
        }
    }
    count
}

struct Ours {
    log: EventLog<Event>,
    subscriptions: Vec<Subscription<Event>>,
}

impl Ours {
    fn open(subscribers: usize) -> Self {
        let log = EventLog::builder().capacity(CAPACITY).build();
        let log = log.expect("the capacity is not 0");
        let subscribe = |_| log.subscribe(log.cursor());
        let subscriptions = (0..subscribers).map(subscribe).collect();
        Self { log, subscriptions }
    }
}

struct InBatches(Ours);

impl Channel for InBatches {
    fn open(subscribers: usize) -> Self {
        Self(Ours::open(subscribers))
    }

    fn publish(&mut self, event: Event) {
        self.0.log.append(event);
    }

    fn read(&mut self) -> usize {
        let mut count = 0;
        for subscription in &mut self.0.subscriptions {
            while let Ok(batch) = subscription.try_recv_batch() {
                for event in &batch {
                    black_box(event.version());
                    count += 1;
                }
            }
        }
        count
    }
}

struct OneByOne(Ours);

impl Channel for OneByOne {
    fn open(subscribers: usize) -> Self {
        Self(Ours::open(subscribers))
    }

    fn publish(&mut self, event: Event) {
        self.0.log.append(event);
    }

    fn read(&mut self) -> usize {
        read_each(&mut self.0.subscriptions, |subscription| {
            subscription.try_recv().ok().map(|event| event.version())
        })
    }
}

struct Tokio<T> {
    sender: broadcast::Sender<T>,
    receivers: Vec<broadcast::Receiver<T>>,
}

impl<T: From<Event> + AsRef<Event> + Clone + Send + 'static> Channel for Tokio<T> {
    fn open(subscribers: usize) -> Self {
        let (sender, _) = broadcast::channel(CAPACITY);
        let receivers = (0..subscribers).map(|_| sender.subscribe()).collect();
        Self { sender, receivers }
    }

    fn publish(&mut self, event: Event) {
        assert!(self.sender.send(event.into()).is_ok(), "it has receivers");
    }

    fn read(&mut self) -> usize {
        read_each(&mut self.receivers, |receiver| {
            let event = receiver.try_recv().ok()?;
            Some(event.as_ref().version())
        })
    }
}

impl AsRef<Event> for Event {
    fn as_ref(&self) -> &Event {
        self
    }
}

struct AsyncBroadcast {
    sender: async_broadcast::Sender<Arc<Event>>,
    receivers: Vec<async_broadcast::Receiver<Arc<Event>>>,
}

impl Channel for AsyncBroadcast {
    fn open(subscribers: usize) -> Self {
        // Without any receiver it would be closed.
        let (sender, first) = async_broadcast::broadcast(CAPACITY);
        let receivers = (0..subscribers).map(|_| first.new_receiver()).collect();
        Self { sender, receivers }
    }

    fn publish(&mut self, event: Event) {
        let sent = self.sender.try_broadcast(Arc::new(event));
        assert!(sent.is_ok(), "it has room");
    }

    fn read(&mut self) -> usize {
        read_each(&mut self.receivers, |receiver| {
            receiver.try_recv().ok().map(|event| event.version())
        })
    }
}

/// One producer only; a full one waits for its slowest reader.
struct Bus {
    bus: bus::Bus<Arc<Event>>,
    readers: Vec<bus::BusReader<Arc<Event>>>,
}

impl Channel for Bus {
    fn open(subscribers: usize) -> Self {
        let mut bus = bus::Bus::new(CAPACITY);
        let readers = (0..subscribers).map(|_| bus.add_rx()).collect();
        Self { bus, readers }
    }

    fn publish(&mut self, event: Event) {
        let sent = self.bus.try_broadcast(Arc::new(event));
        assert!(sent.is_ok(), "it has room");
    }

    fn read(&mut self) -> usize {
        read_each(&mut self.readers, |reader| {
            reader.try_recv().ok().map(|event| event.version())
        })
    }
}

/// A bounded channel for each subscriber, as programs have them that broadcast by hand.
struct Crossbeam {
    senders: Vec<crossbeam_channel::Sender<Arc<Event>>>,
    receivers: Vec<crossbeam_channel::Receiver<Arc<Event>>>,
}

impl Channel for Crossbeam {
    fn open(subscribers: usize) -> Self {
        let open = |_| crossbeam_channel::bounded(CAPACITY);
        let (senders, receivers) = (0..subscribers).map(open).unzip();
        Self { senders, receivers }
    }

    fn publish(&mut self, event: Event) {
        let event = Arc::new(event);
        for sender in &self.senders {
            assert!(sender.try_send(event.clone()).is_ok(), "it has room");
        }
    }

    fn read(&mut self) -> usize {
        read_each(&mut self.receivers, |receiver| {
            receiver.try_recv().ok().map(|event| event.version())
        })
    }
}

/// One producer only; a subscriber begins at a number, and gets a copy of what is retained.
struct Sequenced {
    // What it was made by must live for as long.
    _broadcast: SequencedBroadcast<Arc<Event>>,
    sender: SequencedSender<Arc<Event>>,
    receivers: Vec<SequencedReceiver<Arc<Event>>>,
}

impl Channel for Sequenced {
    fn open(subscribers: usize) -> Self {
        let settings = SequencedBroadcastSettings {
            history_capacity: CAPACITY,
            broadcast_capacity: CAPACITY,
        };
        let (broadcast, sender) = SequencedBroadcast::new(1, settings).expect("no capacity is 0");
        let subscribe = |_| at_once(broadcast.subscribe_from(1)).expect("nothing was sent yet");
        Self {
            receivers: (0..subscribers).map(subscribe).collect(),
            _broadcast: broadcast,
            sender,
        }
    }

    fn publish(&mut self, event: Event) {
        let sent = at_once(self.sender.send(Arc::new(event)));
        assert!(sent.is_ok(), "it is open");
    }

    fn read(&mut self) -> usize {
        read_each(&mut self.receivers, |receiver| {
            receiver.try_recv().ok().map(|(_, event)| event.version())
        })
    }
}

/// What a future gives that waits for nobody.
pub fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("there is nobody to wait for"),
    }
}
