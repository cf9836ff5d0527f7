//! The maximum of a function of two parameters whose derivatives are known.

/// Steps; from a moment estimate a dozen suffice.
const STEPS_MAX: u32 = 300;
/// A step that changes no parameter by more than this is the last.
const STEP_MIN: f64 = 1e-12;
/// No step goes further than this in a parameter, both being logarithms.
const STEP_MAX: f64 = 2.0;
const HALVINGS_MAX: u32 = 60;

/// A function's value and derivatives at a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slope {
    pub(super) value: f64,
    pub(super) gradient: [f64; 2],
    /// Second derivatives: by the first parameter, by both, by the second.
    pub(super) hessian: [f64; 3],
}

/// Where the maximum is, and whether the steps came to rest there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maximum {
    pub(super) at: [f64; 2],
    pub(super) converged: bool,
}

/// Newton's method with halved steps, uphill along the gradient where the function is not concave. `floor` is the
/// least second parameter; a maximum at it has not converged.
pub(super) fn maximise(f: impl Fn([f64; 2]) -> Slope, start: [f64; 2], floor: f64) -> Maximum {
    let mut at = [start[0], start[1].max(floor)];
    let mut here = f(at);
    for _ in 0..STEPS_MAX {
        let step = bounded(direction(&here));
        let (next, there) = uphill(&f, at, here, step, floor);
        let moved = (next[0] - at[0]).abs().max((next[1] - at[1]).abs());
        at = next;
        here = there;
        if moved <= STEP_MIN {
            break;
        }
    }
    // Rounding may end the climb a little early, never far from where the slope vanishes.
    let last = direction(&here);
    let converged = last[0].abs().max(last[1].abs()) <= 1e-6 && at[1] > floor;
    Maximum { at, converged }
}

fn direction(here: &Slope) -> [f64; 2] {
    let [g0, g1] = here.gradient;
    let [h00, h01, h11] = here.hessian;
    let determinant = h00 * h11 - h01 * h01;
    if h00 < 0.0 && determinant > 0.0 {
        return [
            (h01 * g1 - h11 * g0) / determinant,
            (h01 * g0 - h00 * g1) / determinant,
        ];
    }
    // Each parameter at the scale of its own curvature.
    let scaled = |g: f64, h: f64| if h == 0.0 { g } else { g / h.abs() };
    [scaled(g0, h00), scaled(g1, h11)]
}

fn bounded(step: [f64; 2]) -> [f64; 2] {
    let size = step[0].abs().max(step[1].abs());
    if size.is_nan() {
        return [0.0, 0.0];
    }
    let shrink = if size > STEP_MAX {
        STEP_MAX / size
    } else {
        1.0
    };
    step.map(|s| s * shrink)
}

/// The step, halved until it leads no lower.
fn uphill(
    f: &impl Fn([f64; 2]) -> Slope,
    at: [f64; 2],
    here: Slope,
    step: [f64; 2],
    floor: f64,
) -> ([f64; 2], Slope) {
    let mut scale = 1.0;
    for _ in 0..HALVINGS_MAX {
        let next = [
            at[0] + scale * step[0],
            (at[1] + scale * step[1]).max(floor),
        ];
        let there = f(next);
        // At the top values differ by rounding alone, and the slope decides.
        let slack = 1e-13 * here.value.abs();
        if there.value > here.value
            || (there.value >= here.value - slack && size(&there) < size(&here))
        {
            return (next, there);
        }
        scale *= 0.5;
    }
    (at, here)
}

fn size(slope: &Slope) -> f64 {
    slope.gradient[0].abs().max(slope.gradient[1].abs())
}
