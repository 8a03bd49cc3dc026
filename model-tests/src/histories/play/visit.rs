//! Counts the states, questions and answers of a run.

use eventlog::Versioned;

use crate::{
    histories::ops::History,
    model::log::Model,
    report::{Class, Report},
};

/// Counts the settings of a log.
pub(super) fn settings(report: &mut Report, history: &History) {
    report.visit(Class::History);
    if history.capacity == 1 {
        report.visit(Class::CapacityOne);
    }
    if history.base.is_some() {
        report.visit(Class::BaseSet);
    }
}

/// Counts a version that is about to be appended.
pub(super) fn version<E: Versioned + Clone>(report: &mut Report, model: &Model<E>, version: u64) {
    match version {
        0 => report.visit(Class::VersionZero),
        u64::MAX => report.visit(Class::VersionMax),
        _ => {}
    }
    let Some(newest) = model.newest() else {
        return;
    };
    if version == newest {
        report.visit(Class::Repeat);
    } else if version < newest {
        report.visit(Class::Fall);
    } else if version - newest > 1 {
        report.visit(Class::Gap);
    }
}

/// Counts how full the log is that is asked.
pub(super) fn filling(report: &mut Report, appended: usize, capacity: usize) {
    report.visit(match appended {
        0 => Class::Empty,
        _ if appended < capacity => Class::Partial,
        _ if appended == capacity => Class::Full,
        _ => Class::Wrapped,
    });
}

/// Counts a question about what comes after `since`.
pub(super) fn question<E: Versioned + Clone>(
    report: &mut Report,
    model: &Model<E>,
    capacity: usize,
    since: u64,
) {
    filling(report, model.history().len(), capacity);
    match since {
        0 => report.visit(Class::SinceZero),
        u64::MAX => report.visit(Class::SinceMax),
        _ => {}
    }
    let (Some(oldest), Some(newest)) = (model.retained().first(), model.newest()) else {
        return;
    };
    let oldest = oldest.version();
    if since < oldest {
        report.visit(Class::SinceBeforeOldest);
    }
    if since == oldest {
        report.visit(Class::SinceOldest);
    }
    if oldest < since && since < newest {
        report.visit(Class::SinceInside);
    }
    if since == newest {
        report.visit(Class::SinceNewest);
    }
    if since > newest {
        report.visit(Class::SinceFuture);
    }
}
