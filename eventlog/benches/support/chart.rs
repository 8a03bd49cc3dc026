//! A plain line chart, both axes logarithmic, as SVG.

use std::fmt::Write as _;

use super::table::nanos;

pub struct Line {
    pub label: &'static str,
    pub colour: &'static str,
    /// Events in the log, and nanoseconds.
    pub points: Vec<(usize, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Room for the labels of the axes, and at the right for those of the lines.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 200.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;
/// The y axis, as powers of ten of nanoseconds.
const DECADES: std::ops::RangeInclusive<i32> = 1..=9;

pub fn render(title: &str, lines: &[Line]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"25\" font-size=\"15\">{title}</text>\n"
    );
    axes(&mut svg, lines);
    for line in lines {
        draw(&mut svg, line);
    }
    svg.push_str("</svg>\n");
    svg
}

fn axes(svg: &mut String, lines: &[Line]) {
    for decade in DECADES {
        let ns = 10f64.powi(decade);
        let (y, right) = (y_of(ns), WIDTH - RIGHT);
        let label = nanos(ns).replace(".00", "");
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#dddddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for (events, _) in lines.iter().take(1).flat_map(|line| &line.points) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">2<tspan dy=\"-5\" \
             font-size=\"10\">{}</tspan></text>",
            x_of(*events),
            HEIGHT - BOTTOM + 20.0,
            events.ilog2()
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">events in the log</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 10.0
    );
}

fn draw(svg: &mut String, line: &Line) {
    let Line {
        label,
        colour,
        points,
    } = line;
    let at: Vec<String> = points
        .iter()
        .map(|(events, ns)| format!("{:.1},{:.1}", x_of(*events), y_of(*ns)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
        at.join(" ")
    );
    if let Some((events, ns)) = points.last() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{label}</text>",
            x_of(*events) + 8.0,
            y_of(*ns) + 4.0
        );
    }
}

/// From 2^10 to 2^20.
fn x_of(events: usize) -> f64 {
    let share = ((events as f64).log2() - 10.0) / 10.0;
    LEFT + share * (WIDTH - LEFT - RIGHT)
}

fn y_of(ns: f64) -> f64 {
    let (low, high) = (f64::from(*DECADES.start()), f64::from(*DECADES.end()));
    let share = (ns.log10() - low) / (high - low);
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}
