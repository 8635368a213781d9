//! Charts as SVG. The colours are those of a light page; the page's style sheet knows each by its value and has another for the
//! dark. Text stays text.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::counts::FaultCount;
use crate::document::{Mark, Phase};
use crate::timeline::{Moment, Timeline};

/// How wide a chart is drawn, in pixels; the page shows the one that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// A desktop, or paper.
    Wide,
    /// A phone.
    Narrow,
}

impl Width {
    const fn pixels(self) -> u32 {
        match self {
            Width::Wide => 960,
            Width::Narrow => 400,
        }
    }
}

/// Why a chart could not be drawn.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

type Plane<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

// Each stands in page.css too, by which the dark page finds it.
const INK: RGBColor = RGBColor(0x3b, 0x45, 0x53);
const GRID: RGBColor = RGBColor(0xe1, 0xe6, 0xed);
const BAND: RGBColor = RGBColor(0xf0, 0xf4, 0xf9);
const MARK: RGBColor = RGBColor(0x5a, 0x67, 0x78);
const CALM: RGBColor = RGBColor(0x8a, 0x99, 0xab);
const HIT: RGBColor = RGBColor(0x2b, 0x6c, 0xdf);
const ERROR: RGBColor = RGBColor(0xc9, 0x2f, 0x4b);
const TIMEOUT: RGBColor = RGBColor(0xd9, 0x7a, 0x06);
const CRASH: RGBColor = RGBColor(0x6d, 0x3b, 0xb0);

/// One figure of a chart over time.
pub struct Series<T> {
    /// As the legend has it.
    pub name: &'static str,
    /// The class of its swatch, by which `colour` knows it too.
    pub class: &'static str,
    /// The figure.
    pub of: fn(&Moment) -> T,
}

/// The kinds of calls in the first chart, from the bottom up.
pub const ENDINGS: [Series<u64>; 5] = [
    Series { name: "answered", class: "calm", of: |moment| moment.answered },
    Series { name: "answered, with a fault", class: "hit", of: |moment| moment.answered_hit },
    Series { name: "error", class: "error", of: |moment| moment.errors },
    Series { name: "timeout", class: "timeout", of: |moment| moment.timeouts },
    Series { name: "crash", class: "crash", of: |moment| moment.crashes },
];

/// The lines of the second chart.
pub const PERCENTILES: [Series<f64>; 3] = [
    Series { name: "p50", class: "calm", of: |moment| moment.latency_ms.p50 },
    Series { name: "p90", class: "hit", of: |moment| moment.latency_ms.p90 },
    Series { name: "p99", class: "error", of: |moment| moment.latency_ms.p99 },
];

fn colour(class: &str) -> RGBColor {
    match class {
        "hit" => HIT,
        "error" => ERROR,
        "timeout" => TIMEOUT,
        "crash" => CRASH,
        _ => CALM,
    }
}

/// What all charts of a report share: the time axis.
#[derive(Debug, Clone, Copy)]
pub struct Axis<'a> {
    /// What is drawn.
    pub timeline: &'a Timeline,
    /// Its phases, each a band.
    pub phases: &'a [Phase],
    /// Its marks, each a line.
    pub marks: &'a [Mark],
}

impl Axis<'_> {
    /// The unit of the axis, in ms, and its name.
    fn unit(&self) -> (f64, &'static str) {
        match self.timeline.until_ms {
            until if until < 2_000.0 => (1.0, "ms"),
            until if until < 180_000.0 => (1000.0, "s"),
            until if until < 3.0 * 3600e3 => (60_000.0, "min"),
            _ => (3600e3, "h"),
        }
    }

    fn until(&self) -> f64 {
        self.timeline.until_ms.max(1.0) / self.unit().0
    }

    fn moment(&self) -> f64 {
        self.timeline.moment_ms / self.unit().0
    }

    fn at(&self, ms: f64) -> f64 {
        ms / self.unit().0
    }

    /// The left and right edge of a moment's bars: a gap between them where there is room for one.
    fn bar(&self, moment: &Moment) -> (f64, f64) {
        let left = self.at(moment.at_ms);
        (left + self.moment() * 0.08, (left + self.moment() * 0.92).min(self.until()))
    }

    /// Bands, names of the phases and marks: beneath all else.
    fn draw(&self, plane: &mut Plane<'_>, floor: f64, top: f64) -> Result<(), Trouble> {
        for (index, phase) in self.phases.iter().enumerate() {
            let (from, until) = (self.at(phase.from_ms), self.at(phase.until_ms).min(self.until()));
            if index % 2 == 1 {
                plane.draw_series([Rectangle::new([(from, floor), (until, top)], BAND.filled())])?;
            }
        }
        for mark in self.marks {
            let at = self.at(mark.at_ms);
            plane.draw_series([PathElement::new(vec![(at, floor), (at, top)], MARK.stroke_width(1))])?;
        }
        Ok(())
    }

    /// The names of phases and marks above the plane.
    fn name(&self, root: &DrawingArea<SVGBackend<'_>, Shift>, plane: &Plane<'_>, top: f64) -> Result<(), Trouble> {
        let style = text(12).color(&MARK);
        let phases = self.phases.iter().filter(|phase| phase.until_ms > phase.from_ms);
        let alone = phases.clone().count() < 2;
        let phases = phases.filter(|_| !alone).map(|phase| (phase.from_ms, phase.name.as_str()));
        let mut names: Vec<_> = phases.chain(self.marks.iter().map(|mark| (mark.at_ms, mark.label.as_str()))).collect();
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        names.dedup_by(|a, b| a.1 == b.1);
        let starts = names.iter().map(|(at, _)| plane.backend_coord(&(self.at(*at), top)).0);
        let widths = names.iter().map(|(_, name)| i32::try_from(name.chars().count()).unwrap_or(0) * LETTER);
        let edge = i32::try_from(root.dim_in_pixel().0).unwrap_or(i32::MAX);
        let y = plane.backend_coord(&(0.0, top)).1 - 16;
        for ((_, name), x) in names.iter().zip(beside(starts.zip(widths).collect(), edge)) {
            root.draw_text(name, &style, (x, y))?;
        }
        Ok(())
    }
}

/// How wide a letter of a name is, in pixels; a rough measure will do.
const LETTER: i32 = 7;

/// Where names go, each given by where it wants to begin and its width: behind one another, and before `edge`.
fn beside(names: Vec<(i32, i32)>, mut edge: i32) -> Vec<i32> {
    let (gap, mut free) = (8, i32::MIN);
    let mut placed: Vec<(i32, i32)> = Vec::with_capacity(names.len());
    for (start, width) in names {
        let x = start.max(free);
        free = x + width + gap;
        placed.push((x, width));
    }
    for (x, width) in placed.iter_mut().rev() {
        *x = (*x).min(edge - *width);
        edge = *x - gap;
    }
    placed.into_iter().map(|(x, _)| x).collect()
}

fn text(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

fn draw(
    width: Width,
    height: u32,
    paint: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Trouble>,
) -> Result<String, Trouble> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width.pixels(), height)).into_drawing_area();
        paint(&root)?;
        root.present()?;
    }
    // The page sizes it; a line end after each element would only cost.
    Ok(svg.replacen(&format!("<svg width=\"{}\" height=\"{height}\" ", width.pixels()), "<svg ", 1).replace('\n', ""))
}

fn plane<'a>(
    root: &DrawingArea<SVGBackend<'a>, Shift>,
    axis: &Axis<'_>,
    y: (f64, f64),
    labels: u32,
) -> Result<Plane<'a>, Trouble> {
    let built = ChartBuilder::on(root)
        .margin_top(22)
        .margin_right(14)
        .margin_left(if labels == 0 { 14 } else { 2 })
        .x_label_area_size(26)
        .y_label_area_size(if labels == 0 { 0 } else { 50 })
        .build_cartesian_2d(0.0..axis.until(), y.0..y.1)?;
    Ok(built)
}

/// A number on an axis: no digits that say nothing.
fn short(value: f64) -> String {
    if value.abs() >= 1000.0 && value % 100.0 == 0.0 {
        format!("{}k", value / 1000.0)
    } else {
        format!("{}", (value * 1000.0).round() / 1000.0)
    }
}

fn mesh(plane: &mut Plane<'_>, axis: &Axis<'_>, labels: usize, y: &dyn Fn(&f64) -> String) -> Result<(), Trouble> {
    let unit = axis.unit().1;
    plane
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(MARK)
        .label_style(text(12))
        .x_labels(6)
        .y_labels(labels)
        .x_label_formatter(&|value| format!("{} {unit}", short(*value)))
        .y_label_formatter(y)
        .draw()?;
    Ok(())
}

/// Calls by how they ended, from moment to moment.
///
/// # Errors
///
/// Where the library cannot draw.
pub fn calls(axis: Axis<'_>, width: Width) -> Result<String, Trouble> {
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
    let number = |count: u64| count as f64;
    let most = axis.timeline.moments.iter().map(|moment| moment.calls).max().unwrap_or(1);
    let top = number(most) * 1.05;
    draw(width, 230, |root| {
        let mut plane = plane(root, &axis, (0.0, top), 5)?;
        axis.draw(&mut plane, 0.0, top)?;
        mesh(&mut plane, &axis, 5, &|value| if value.fract() == 0.0 { short(*value) } else { String::new() })?;
        for moment in &axis.timeline.moments {
            let (left, right) = axis.bar(moment);
            let mut floor = 0.0;
            for Series { class, of, .. } in ENDINGS {
                let count = number(of(moment));
                if count > 0.0 {
                    // One call of thousands is seen too.
                    let next = floor + count.max(top * 0.012);
                    plane.draw_series([Rectangle::new([(left, floor), (right, next)], colour(class).filled())])?;
                    floor = next;
                }
            }
        }
        axis.name(root, &plane, top)
    })
}

/// Percentiles of what callers waited, from moment to moment, on a logarithmic axis.
///
/// # Errors
///
/// Where the library cannot draw.
pub fn latency(axis: Axis<'_>, width: Width) -> Result<String, Trouble> {
    // Calls of which nobody measured how long they took, as where CloudWatch has a count and no duration, stand for no time.
    let moments: Vec<&Moment> = axis.timeline.moments.iter().filter(|moment| moment.latency_ms.p99 > 0.0).collect();
    let positive = |value: f64| value.max(0.001);
    let low = moments.iter().map(|moment| positive(moment.latency_ms.p50)).fold(f64::INFINITY, f64::min).min(1e6);
    let high = moments.iter().map(|moment| positive(moment.latency_ms.p99)).fold(0.001, f64::max);
    // Whole powers of ten, so that each has its line.
    let (floor, top) = (low.log10().floor(), high.log10().ceil().max(low.log10().floor() + 1.0));
    draw(width, 250, |root| {
        let mut plane = plane(root, &axis, (floor, top), 5)?;
        axis.draw(&mut plane, floor, top)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few powers of ten")]
        let powers = (top - floor) as usize + 1;
        mesh(&mut plane, &axis, powers, &|value| match value {
            _ if value.fract() != 0.0 => String::new(),
            _ if *value >= 3.0 => format!("{} s", 10f64.powf(value - 3.0)),
            _ => format!("{} ms", 10f64.powf(*value)),
        })?;
        for Series { class, of, .. } in PERCENTILES {
            let style = colour(class).stroke_width(2);
            // Lines end where a phase does, and where nothing was called for a while.
            let next = |a: &&Moment, b: &&Moment| a.phase == b.phase && b.at_ms - a.at_ms < axis.timeline.moment_ms * 1.5;
            for stretch in moments.chunk_by(next) {
                let points: Vec<(f64, f64)> = stretch
                    .iter()
                    .map(|moment| ((axis.at(moment.at_ms) + axis.moment() / 2.0).min(axis.until()), positive(of(moment)).log10()))
                    .collect();
                if let [(x, y)] = points.as_slice() {
                    plane.draw_series([Circle::new((*x, *y), 3, colour(class).filled())])?;
                }
                plane.draw_series(LineSeries::new(points, style))?;
            }
        }
        axis.name(root, &plane, top)
    })
}

/// How high one fault's lane is, in pixels.
const LANE: u32 = 44;

/// Injections, a lane for each fault, whose bars have one measure in all.
///
/// # Errors
///
/// Where the library cannot draw.
pub fn injections(axis: Axis<'_>, faults: &[FaultCount], width: Width) -> Result<String, Trouble> {
    let lanes = u32::try_from(faults.len()).unwrap_or(1).max(1);
    let most = axis.timeline.moments.iter().flat_map(|moment| moment.injected.values()).max().copied().unwrap_or(1);
    draw(width, lanes * LANE + 52, |root| {
        let top = f64::from(lanes);
        let mut plane = plane(root, &axis, (0.0, top), 0)?;
        axis.draw(&mut plane, 0.0, top)?;
        mesh(&mut plane, &axis, faults.len() + 1, &|_| String::new())?;
        let style = text(12).pos(Pos::new(HPos::Left, VPos::Top));
        for (fault, lane) in faults.iter().zip(0u32..) {
            let floor = f64::from(lanes - lane - 1);
            for moment in &axis.timeline.moments {
                let Some(&count) = moment.injected.get(&fault.id) else { continue };
                #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^53")]
                let height = count as f64 / most as f64 * 0.6;
                let (left, right) = axis.bar(moment);
                plane.draw_series([Rectangle::new([(left, floor), (right, floor + height)], HIT.filled())])?;
            }
            let (x, y) = plane.backend_coord(&(0.0, floor + 1.0));
            let id: String = fault.id.chars().take(40).collect();
            root.draw_text(&format!("{id}, {}: {}", fault.kind, fault.injected), &style, (x + 4, y + 3))?;
        }
        axis.name(root, &plane, top)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Call, Ending};

    #[test]
    fn each_colour_has_its_dark_counterpart_in_the_style_sheet() {
        let css = include_str!("page.css");
        for colour in [INK, GRID, BAND, MARK, CALM, HIT, ERROR, TIMEOUT, CRASH] {
            let hex = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
            for property in ["fill", "stroke"] {
                assert!(css.contains(&format!("[{property}=\"{hex}\"]")), "{property} {hex}");
            }
        }
    }

    #[test]
    fn whatever_the_calls_are_every_chart_can_be_drawn() {
        let phase = |name: &str, calls| Phase { name: name.to_owned(), calls, ..Phase::default() };
        for waited in [0.0, 0.3, 5000.0] {
            for count in [0u32, 1, 2, 5000] {
                let calls: Vec<Call> = (0..count)
                    .map(|n| Call {
                        at_ms: f64::from(n) * waited,
                        latency_ms: waited,
                        ending: if n % 3 == 0 { Ending::Crash } else { Ending::Answered },
                        injected: if n % 2 == 0 { vec!["<b>".to_owned()] } else { Vec::new() },
                    })
                    .collect();
                let timeline = Timeline::of(&[("run", &calls)]);
                let phases = [phase("run", u64::from(count))];
                let marks = [Mark { at_ms: 0.0, label: "plan on".to_owned() }];
                let axis = Axis { timeline: &timeline, phases: &phases, marks: &marks };
                let faults = [FaultCount { id: "<b>".to_owned(), kind: "exit".to_owned(), ..FaultCount::default() }];
                for width in [Width::Wide, Width::Narrow] {
                    let drawn = [calls_of(axis, width), latency_of(axis, width), injections(axis, &faults, width).unwrap()];
                    for svg in drawn {
                        assert!(svg.starts_with("<svg viewBox") && svg.ends_with("</svg>") && !svg.contains("NaN"), "{svg}");
                        assert!(!svg.contains("<b>"), "{svg}");
                        assert!(svg.len() < 60_000, "{}", svg.len());
                    }
                }
            }
        }
    }

    #[test]
    fn names_stand_behind_one_another_and_none_beyond_the_edge() {
        assert_eq!(beside(vec![(10, 40), (20, 30), (200, 30)], 400), [10, 58, 200]);
        assert_eq!(beside(vec![(10, 40), (350, 35), (380, 35)], 400), [10, 322, 365]);
        assert_eq!(beside(Vec::new(), 400), [0; 0]);
    }

    #[test]
    fn a_moment_whose_calls_nobody_timed_is_a_gap_and_no_low_point() {
        let of = |at_ms: f64, p: f64| Moment {
            at_ms,
            calls: 1,
            latency_ms: crate::figures::Latency { p50: p, p90: p, p99: p, ..Default::default() },
            ..Moment::default()
        };
        let timeline = Timeline { moment_ms: 1.0, until_ms: 4.0, moments: vec![of(0.0, 20.0), of(1.0, 0.0), of(2.0, 30.0)] };
        let svg = latency_of(Axis { timeline: &timeline, phases: &[], marks: &[] }, Width::Wide);
        assert!(svg.contains("10 ms") && !svg.contains("0.001 ms"), "{svg}");
        assert!(svg.contains("<circle"), "each of the two stands alone");
    }

    fn calls_of(axis: Axis<'_>, width: Width) -> String {
        calls(axis, width).unwrap()
    }

    fn latency_of(axis: Axis<'_>, width: Width) -> String {
        latency(axis, width).unwrap()
    }
}
