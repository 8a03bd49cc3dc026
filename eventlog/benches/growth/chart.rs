//! The figures as line charts, both axes logarithmic, in one SVG.

use std::fmt::Write as _;

use crate::{
    report::sized,
    series::{Group, Series},
};

/// Of a chart with its labels; there are two in a row.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 300.0;
/// Room for the labels of the axes, and at the right for those of the lines.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 125.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// The least distance of two labels.
const LINE_HEIGHT: f64 = 14.0;

/// Five colours that differ in brightness too, for a light page and for a dark one.
const STYLE: &str = "\
svg { font: 12px sans-serif; fill: #1f2328; background: #ffffff }
.page { fill: #ffffff } .grid { stroke: #d8dee4 } .title { font-weight: bold }
polyline { fill: none; stroke: currentColor; stroke-width: 2 }
.compared { stroke-dasharray: 4 4 } circle, .label { fill: currentColor }
.c0 { color: #0b5cad } .c1 { color: #b35900 } .c2 { color: #1a7f37 }
.c3 { color: #8250df } .c4 { color: #b3261e }
@media (prefers-color-scheme: dark) {
svg { fill: #e6edf3; background: #0d1117 }
.page { fill: #0d1117 } .grid { stroke: #30363d }
.c0 { color: #58a6ff } .c1 { color: #f0a04b } .c2 { color: #56d364 }
.c3 { color: #d2a8ff } .c4 { color: #ff7b72 }
}
";

pub fn render(groups: &[(&str, Group)]) -> String {
    let (width, height) = (2.0 * WIDTH, HEIGHT * groups.len().div_ceil(2) as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\">\n\
         <title>How costs grow</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    for (at, (title, group)) in groups.iter().enumerate() {
        let (x, y) = (WIDTH * (at % 2) as f64, HEIGHT * (at / 2) as f64);
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        Chart::of(group).draw(title, group, &mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// What the axes span: sizes, and powers of ten of nanoseconds.
struct Chart {
    sizes: Vec<usize>,
    decades: std::ops::RangeInclusive<i32>,
}

impl Chart {
    fn of(group: &Group) -> Self {
        /// So that what is flat also looks flat.
        const LEAST: i32 = 3;
        let points = group.series.iter().flat_map(|series| &series.points);
        let decade = |(_, ns): &(usize, f64)| ns.log10();
        let low = points.clone().map(decade).fold(f64::INFINITY, f64::min);
        let high = points.map(decade).fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = (low.floor() as i32, high.ceil() as i32);
        Self {
            sizes: group.series[0].points.iter().map(|point| point.0).collect(),
            decades: low..=high.max(low + LEAST),
        }
    }

    fn draw(&self, title: &str, group: &Group, svg: &mut String) {
        let _ = writeln!(
            svg,
            "<text class=\"title\" x=\"{LEFT}\" y=\"22\">{title}</text>"
        );
        self.draw_axes(group.axis, svg);
        let labels = self.places_of_labels(&group.series);
        let mut colour = 0;
        for (at, series) in group.series.iter().enumerate() {
            // What is compared has the colour of what it is compared with.
            colour += usize::from(at > 0 && series.expected.is_ours());
            self.draw_line(series, colour, labels[at], svg);
        }
    }

    fn draw_axes(&self, axis: &str, svg: &mut String) {
        let right = WIDTH - RIGHT;
        for decade in self.decades.clone() {
            let (y, label) = (self.y_of(10f64.powi(decade)), power_of_ten(decade));
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 8.0,
                y + 4.0
            );
        }
        for size in &self.sizes {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                self.x_of(*size),
                HEIGHT - BOTTOM + 18.0,
                sized(*size)
            );
        }
        let (x, y) = (f64::midpoint(LEFT, right), HEIGHT - BOTTOM + 36.0);
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{axis}</text>"
        );
    }

    /// Heights of the lines' labels: where each line ends, but apart from each other.
    fn places_of_labels(&self, series: &[Series]) -> Vec<f64> {
        let end = |series: &Series| self.y_of(series.points[series.points.len() - 1].1) + 4.0;
        let mut places: Vec<_> = series.iter().map(end).enumerate().collect();
        places.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let mut lowest = f64::INFINITY;
        for (_, y) in &mut places {
            *y = y.min(lowest - LINE_HEIGHT);
            lowest = *y;
        }
        places.sort_by_key(|(at, _)| *at);
        places.into_iter().map(|(_, y)| y).collect()
    }

    fn draw_line(&self, series: &Series, colour: usize, label: f64, svg: &mut String) {
        let at = series.points.iter();
        let at: Vec<_> = at
            .map(|(size, ns)| (self.x_of(*size), self.y_of(*ns)))
            .collect();
        let corners: Vec<_> = at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let is_ours = series.expected.is_ours();
        let class = if is_ours { "" } else { " class=\"compared\"" };
        let _ = writeln!(
            svg,
            "<g class=\"c{colour}\"><polyline{class} points=\"{}\"/>",
            corners.join(" ")
        );
        for (x, y) in at {
            let _ = write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
        let (x, name) = (WIDTH - RIGHT + 10.0, series.name.trim());
        let _ = writeln!(
            svg,
            "<text class=\"label\" x=\"{x}\" y=\"{label:.1}\">{name}</text></g>"
        );
    }

    fn x_of(&self, size: usize) -> f64 {
        let (first, last) = (
            self.sizes[0] as f64,
            self.sizes[self.sizes.len() - 1] as f64,
        );
        let share = (size as f64 / first).ln() / (last / first).ln();
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y_of(&self, ns: f64) -> f64 {
        let (low, high) = (*self.decades.start(), *self.decades.end());
        let share = (ns.log10() - f64::from(low)) / f64::from(high - low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }
}

/// So many nanoseconds, from a tenth on.
fn power_of_ten(decade: i32) -> String {
    let unit = ["ns", "µs", "ms", "s"][(decade.max(0) / 3) as usize];
    let value = 10f64.powi(if decade < 0 { decade } else { decade % 3 });
    format!("{value} {unit}")
}
