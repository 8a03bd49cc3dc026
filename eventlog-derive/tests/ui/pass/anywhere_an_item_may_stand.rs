use eventlog::Versioned;

mod private {
    struct Hidden(u64);

    impl eventlog::AsVersion for Hidden {
        fn as_version(&self) -> u64 { self.0 }
    }

    #[derive(eventlog::Versioned)]
    pub struct Event {
        version: Hidden,
    }

    impl Event {
        pub fn new(version: u64) -> Self { Self { version: Hidden(version) } }
    }
}

const _: () = {
    #[derive(Versioned)]
    struct InConst {
        version: u64,
    }
    let read: fn(&InConst) -> u64 = Versioned::version;
    let _ = read;
};

fn main() {
    #[derive(Versioned)]
    enum Local {
        Opened { version: u64 },
    }
    assert_eq!(Local::Opened { version: 1 }.version(), 1);
    assert_eq!(private::Event::new(2).version(), 2);
}
