//! The calls into a subject, by name.

use std::time::Duration;

/// Declares the calls, each with the name that reports give it.
macro_rules! calls {
    ($($call:ident $name:literal)*) => {
        /// A call into a subject.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Call {
            $($call,)*
        }

        impl Call {
            const ALL: &[Self] = &[$(Self::$call),*];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$call => $name,)*
                }
            }
        }
    };
}

calls! {
    Open "open"
    Handle "handle"
    Event "event"
    ProbedEvent "probed_event"
    ExtremeEvent "extreme_event"
    ReadBack "read_back"
    Files "files"
    Follow "follow"
    FollowNext "the follower"
    Line "line"
    Settings "retains, segment, reader_pins or shows_within"
    Append "append"
    TryAppend "try_append"
    EventsSince "events_since"
    ReplayTruncated "replay_truncated"
    Replay "replay"
    AppendBatch "append_batch"
    AppendWith "append_with"
    Cursor "cursor"
    ReplayAfter "replay_after"
    Subscribe "subscribe"
    SubscribeStored "subscribe_stored"
    Resume "resume"
    Lease "lease"
    Page "page"
    PageAfter "page_after"
    SubscribeIf "subscribe_if"
    Numbering "numbering"
    Close "close"
    Flush "flush"
    Shutdown "shutdown"
    ShutdownWithin "shutdown_within"
    DropLog "drop of the log"
    TryRecv "try_recv"
    PollRecv "poll_recv"
    BlockingRecv "blocking_recv"
    IsLive "is_live"
    SkipToNewest "skip_to_newest"
    DropReader "drop of a subscription"
}

impl Call {
    /// The call that a slot holds.
    pub(crate) fn of(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Open)
    }

    /// Whether a list of the last calls has it.
    pub(crate) fn is_told(self) -> bool {
        !matches!(
            self,
            Self::Event | Self::ProbedEvent | Self::ExtremeEvent | Self::Line | Self::Settings
        )
    }

    /// How long it may take, but for [`Self::BlockingRecv`], which has no end of its own. What goes to a disk may take longer; everything may take twice the
    /// patience, because the suite itself waits that long inside of wakers and events.
    pub(crate) fn limit(self, patience: Duration) -> Duration {
        match self {
            Self::Open
            | Self::Handle
            | Self::ReadBack
            | Self::Follow
            | Self::FollowNext
            | Self::Flush
            | Self::Shutdown
            | Self::ShutdownWithin
            | Self::DropLog => patience * 8,
            _ => patience * 2,
        }
    }
}
