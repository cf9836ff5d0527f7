//! Time to event: worked examples, and what must hold for any data.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose function refuses a valid argument has failed"
)]

use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::survival::cox::{Ties, cox};
use tributary_engine_stats::survival::curve::{km, km_at, km_median};
use tributary_engine_stats::survival::incidence::{cuminc, cuminc_at};
use tributary_engine_stats::survival::limits::Limits;
use tributary_engine_stats::survival::logrank::logrank;
use tributary_engine_stats::survival::mean::rmst;
use tributary_engine_stats::survival::timeline::{Durations, Timeline};

fn timeline(rows: &[(f64, bool)]) -> Timeline {
    let (durations, events): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
    Timeline::of_events(&durations, &events).unwrap()
}

/// Acute myelogenous leukaemia (Miller 1997, Survival Analysis, p. 49), `aml` of R's survival: time, event,
/// and whether chemotherapy was not maintained.
fn aml() -> (Vec<f64>, Vec<bool>, Vec<u32>) {
    let maintained = [9, 13, -13, 18, 23, -28, 31, 34, -45, 48, -161];
    let not = [5, 5, 8, 8, 12, -16, 23, 27, 30, 33, 43, 45];
    let all = || maintained.iter().chain(&not);
    (
        all().map(|t: &i32| f64::from(t.abs())).collect(),
        all().map(|t| *t > 0).collect(),
        (0..23).map(|i| u32::from(i >= 11)).collect(),
    )
}

#[test]
fn aml_as_r_prints_it() {
    // ?survfit, ?survdiff and ?coxph of R's survival on this data.
    let (durations, events, groups) = aml();
    for (group, median, lo) in [(0, 31.0, 18.0), (1, 23.0, 8.0)] {
        let of = |g: &u32| *g == group;
        let rows: Vec<(f64, bool)> = durations
            .iter()
            .copied()
            .zip(events.iter().copied())
            .zip(&groups)
            .filter_map(|(row, g)| of(g).then_some(row))
            .collect();
        let found = km_median(&timeline(&rows), 0.95, Limits::Log).unwrap();
        assert_eq!(
            (found.median, found.lo, found.hi),
            (Some(median), Some(lo), None)
        );
    }
    let close = |actual: f64, printed: f64, digit: f64| {
        assert!(
            (actual - printed).abs() <= 0.5 * digit,
            "{actual} for {printed}"
        );
    };
    let test = logrank(&durations, &events, &groups).unwrap();
    close(test.chi2.unwrap(), 3.4, 0.1);
    close(test.groups[0].expected, 10.69, 0.01);
    close(test.groups[1].expected, 7.31, 0.01);
    let x: Vec<f64> = groups.iter().map(|g| f64::from(*g)).collect();
    let fit = cox(&durations, &events, &[&x], Ties::Efron, 0.95).unwrap();
    close(fit.terms[0].coef, 0.9155, 1e-4);
    close(fit.terms[0].hr.unwrap(), 2.4981, 1e-4);
    close(fit.terms[0].se, 0.5119, 1e-4);
    close(fit.terms[0].z, 1.788, 1e-3);
    close(fit.terms[0].p, 0.0737, 1e-4);
    close(fit.lr_chi2.unwrap(), 3.38, 0.01);
    close(fit.score_chi2.unwrap(), 3.42, 0.01);
}

#[test]
fn three_covariates_and_five_groups_as_python_computes_them() {
    // statsmodels 0.15.0 PHReg, polished by Newton steps to the last digit; lifelines 0.30.3.
    let rows = 0..120_u32;
    let x1: Vec<f64> = rows.clone().map(|i| f64::from(i % 5)).collect();
    let x2: Vec<f64> = rows.clone().map(|i| f64::from(i * i % 7)).collect();
    let x3: Vec<f64> = rows
        .clone()
        .map(|i| f64::from(29 * i % 31) / 10.0)
        .collect();
    let later = |i: u32| if i % 5 > 2 { 3.0 } else { 0.0 };
    let durations: Vec<f64> = rows
        .clone()
        .map(|i| f64::from(37 * i % 41 + 1) + later(i))
        .collect();
    let events: Vec<bool> = rows.clone().map(|i| i % 3 > 0).collect();
    let efron = [
        (-0.19630663436658924, 0.08839118158031382),
        (-0.006054948940743355, 0.0810970929978157),
        (0.09127701065718466, 0.12658373853365298),
    ];
    let breslow = [
        (-0.19394882314163547, 0.08821352692264321),
        (-0.004402826923197671, 0.0812597342418294),
        (0.08916712670114595, 0.12649552331508881),
    ];
    for (ties, terms, loglik, null) in [
        (Ties::Efron, efron, -303.56410358779993, -306.1930502766591),
        (
            Ties::Breslow,
            breslow,
            -304.9492730776977,
            -307.5166831827758,
        ),
    ] {
        let fit = cox(&durations, &events, &[&x1, &x2, &x3], ties, 0.95).unwrap();
        for (term, (coef, se)) in fit.terms.iter().zip(terms) {
            assert!(
                (term.coef - coef).abs() < 1e-11 && (term.se - se).abs() < 1e-11,
                "{term:?}"
            );
        }
        assert!((fit.loglik.unwrap() - loglik).abs() < 1e-10);
        assert!((fit.loglik_null.unwrap() - null).abs() < 1e-10);
    }
    let groups: Vec<u32> = rows.map(|i| i % 5).collect();
    let test = logrank(&durations, &events, &groups).unwrap();
    assert!((test.chi2.unwrap() - 9.40025188650236).abs() < 1e-10);
    assert!((test.p.unwrap() - 0.05183769594933887).abs() < 1e-12);
}

/// Random rows of (duration, cause) with many ties.
struct Rows(u64);

impl Rows {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn take(&mut self, n: usize, times: u64, causes: u64) -> Vec<(f64, u32)> {
        (0..n)
            .map(|_| {
                (
                    (self.next() % times) as f64 / 4.0,
                    (self.next() % causes) as u32,
                )
            })
            .collect()
    }

    fn shuffle<T>(&mut self, rows: &mut [T]) {
        for i in (1..rows.len()).rev() {
            rows.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
    }
}

fn of_causes(rows: &[(f64, u32)]) -> Timeline {
    let (durations, causes): (Vec<f64>, Vec<u32>) = rows.iter().copied().unzip();
    Timeline::of_causes(&durations, &causes).unwrap()
}

#[test]
fn order_and_parts_do_not_matter() {
    let mut random = Rows(1);
    for (n, times, causes) in [(1, 3, 2), (7, 4, 3), (200, 40, 4), (5000, 100_000, 3)] {
        let mut rows = random.take(n, times, causes);
        let timeline = of_causes(&rows);
        for _ in 0..5 {
            random.shuffle(&mut rows);
            let (mut all, mut part) = (Durations::new(), Durations::new());
            for (i, (duration, cause)) in rows.iter().enumerate() {
                let half = if i % 3 == 0 { &mut part } else { &mut all };
                half.push_cause(*duration, *cause).unwrap();
            }
            part.append(all);
            let again = part.into_timeline();
            assert_eq!(
                km(&again, 0.9, Limits::Log),
                km(&timeline, 0.9, Limits::Log)
            );
            assert_eq!(
                cuminc(&again, 0.9, Limits::Log),
                cuminc(&timeline, 0.9, Limits::Log)
            );
            assert_eq!(rmst(&again, 9.3), rmst(&timeline, 9.3));
            let (durations, groups): (Vec<f64>, Vec<u32>) = rows.iter().copied().unzip();
            let events: Vec<bool> = durations
                .iter()
                .map(|d| (d * 4.0) as u64 % 3 == 1)
                .collect();
            let mut ordered = rows.clone();
            ordered.sort_by(|a, b| b.partial_cmp(a).unwrap());
            let (d2, g2): (Vec<f64>, Vec<u32>) = ordered.into_iter().unzip();
            let e2: Vec<bool> = d2.iter().map(|d| (d * 4.0) as u64 % 3 == 1).collect();
            assert_eq!(
                logrank(&durations, &events, &groups),
                logrank(&d2, &e2, &g2)
            );
            let (x1, x2): (Vec<f64>, Vec<f64>) = (
                groups.iter().map(|g| f64::from(*g)).collect(),
                g2.iter().map(|g| f64::from(*g)).collect(),
            );
            assert_eq!(
                cox(&durations, &events, &[&x1], Ties::Efron, 0.9),
                cox(&d2, &e2, &[&x2], Ties::Efron, 0.9)
            );
        }
    }
}

#[test]
fn without_censoring_it_is_the_share_that_lasts() {
    let rows: Vec<(f64, u32)> = Rows(2)
        .take(777, 300, 1)
        .into_iter()
        .map(|row| (row.0, 1))
        .collect();
    let timeline = of_causes(&rows);
    let curve = km(&timeline, 0.95, Limits::Log).unwrap();
    for point in &curve.points {
        let last = rows.iter().filter(|row| row.0 > point.t).count() as f64 / 777.0;
        assert_eq!(point.surv, last);
        if let Some(se) = point.se {
            assert!((se - (last * (1.0 - last) / 777.0).sqrt()).abs() < 1e-14);
        }
    }
    let incidence = cuminc(&timeline, 0.95, Limits::Log).unwrap();
    for (cif, se) in incidence.causes[0].cif.iter().zip(&incidence.causes[0].se) {
        let binomial = (cif * (1.0 - cif)).max(0.0) / 777.0;
        assert!((se * se - binomial).abs() < 1e-16, "{se} {cif}");
    }
    let mean = rows.iter().map(|row| row.0).sum::<f64>() / 777.0;
    assert!((rmst(&timeline, 1e6).unwrap().rmst.unwrap() - mean).abs() < 1e-10);
}

#[test]
fn causes_and_nothing_add_up_to_1() {
    for seed in 0..20 {
        let timeline = of_causes(&Rows(seed).take(400, 60, 5));
        let incidence = cuminc(&timeline, 0.95, Limits::Plain).unwrap();
        for i in 0..incidence.t.len() {
            let ended: f64 = incidence.causes.iter().map(|cause| cause.cif[i]).sum();
            assert!((ended + incidence.p_none[i] - 1.0).abs() < 1e-13);
            for cause in &incidence.causes {
                let (lo, hi) = (cause.lo[i].unwrap(), cause.hi[i].unwrap());
                assert!(0.0 <= lo && lo <= cause.cif[i] && cause.cif[i] <= hi && hi <= 1.0);
            }
        }
    }
}

/// The influence of each row by its definition: the derivative of every factor by that row's weight.
fn jackknife_variance(rows: &[(f64, u32)], cause: u32, t: f64) -> f64 {
    let timeline: Vec<f64> = {
        let mut times: Vec<f64> = rows
            .iter()
            .map(|row| row.0)
            .filter(|time| *time <= t)
            .collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    };
    let influence = |(exit, ended): (f64, u32)| {
        let (mut surv, mut on_surv, mut on_cif) = (1.0, 0.0, 0.0);
        for time in &timeline {
            let n = rows.iter().filter(|row| row.0 >= *time).count() as f64;
            let d = rows
                .iter()
                .filter(|row| row.0 == *time && row.1 > 0)
                .count() as f64;
            let own = rows
                .iter()
                .filter(|row| row.0 == *time && row.1 == cause)
                .count() as f64;
            let at_risk = f64::from(u8::from(exit >= *time));
            let here = |is: bool| f64::from(u8::from(exit == *time && is));
            on_cif += on_surv * own / n + surv * (here(ended == cause) - at_risk * own / n) / n;
            on_surv = on_surv * (1.0 - d / n) - surv * (here(ended > 0) - at_risk * d / n) / n;
            surv *= 1.0 - d / n;
        }
        on_cif
    };
    rows.iter().map(|row| influence(*row).powi(2)).sum()
}

#[test]
fn the_standard_error_is_the_infinitesimal_jackknife() {
    for (seed, n, times, causes) in [
        (3, 30, 9, 3),
        (4, 80, 40, 4),
        (5, 25, 400, 3),
        (6, 12, 3, 2),
    ] {
        let rows = Rows(seed).take(n, times, causes);
        let incidence = cuminc(&of_causes(&rows), 0.95, Limits::Log).unwrap();
        for cause in &incidence.causes {
            for (t, se) in incidence.t.iter().zip(&cause.se) {
                let direct = jackknife_variance(&rows, cause.cause, *t).sqrt();
                assert!((se - direct).abs() < 1e-13, "{t}: {se} {direct}");
            }
        }
    }
}

#[test]
fn limits_are_nested_in_conf_and_contain_the_curve() {
    let timeline = of_causes(&Rows(8).take(300, 50, 3));
    for limits in [Limits::Log, Limits::LogLog, Limits::Plain] {
        let narrow = km(&timeline, 0.8, limits).unwrap();
        let wide = km(&timeline, 0.99, limits).unwrap();
        for (a, b) in narrow.points.iter().zip(&wide.points) {
            let (Some(lo), Some(hi)) = (a.lo, a.hi) else {
                assert!(b.lo.is_none());
                continue;
            };
            let (outer_lo, outer_hi) = (b.lo.unwrap(), b.hi.unwrap());
            assert!(0.0 <= outer_lo && outer_lo <= lo && lo <= a.surv);
            assert!(a.surv <= hi && hi <= outer_hi && outer_hi <= 1.0);
        }
    }
}

#[test]
fn a_flat_stretch_at_one_half_has_its_median_in_the_middle() {
    let median = |rows: &[(f64, bool)]| {
        km_median(&timeline(rows), 0.95, Limits::Log)
            .unwrap()
            .median
    };
    assert_eq!(
        median(&[(1.0, true), (2.0, true), (4.0, true), (9.0, true)]),
        Some(3.0)
    );
    assert_eq!(
        median(&[(1.0, true), (2.0, true), (3.0, false), (9.0, true)]),
        Some(5.5)
    );
    // No later event: the stretch has no end.
    assert_eq!(
        median(&[(1.0, true), (2.0, true), (4.0, false), (9.0, false)]),
        Some(2.0)
    );
    assert_eq!(median(&[(1.0, true), (2.0, true), (3.0, true)]), Some(2.0));
    assert_eq!(median(&[(1.0, false), (2.0, false)]), None);
}

#[test]
fn past_the_end_nothing_is_claimed() {
    let open = timeline(&[(1.0, true), (2.0, false)]);
    let at = |t| km_at(&open, t, 0.95, Limits::Log).unwrap();
    assert_eq!(
        (at(0.5).surv, at(0.5).se, at(0.5).n_risk),
        (Some(1.0), Some(0.0), 2)
    );
    assert_eq!((at(2.0).surv, at(2.0).n_risk), (Some(0.5), 1));
    assert_eq!((at(2.1).surv, at(2.1).status), (None, Status::Immature));
    assert_eq!(rmst(&open, 2.5).unwrap().status, Status::Immature);
    assert_eq!(rmst(&open, 2.0).unwrap().rmst, Some(1.5));
    let ended = timeline(&[(1.0, true), (2.0, true)]);
    let at = km_at(&ended, 3.0, 0.95, Limits::Log).unwrap();
    assert_eq!((at.surv, at.se, at.status), (Some(0.0), None, Status::Ok));
    assert_eq!(rmst(&ended, 100.0).unwrap().rmst, Some(1.5));
}

#[test]
fn nothing_observed_is_no_data() {
    let nothing = timeline(&[(-1.0, true)]);
    assert_eq!((nothing.n(), nothing.excluded()), (0, 1));
    assert_eq!(
        km(&nothing, 0.95, Limits::Log).unwrap().status,
        Status::NoData
    );
    assert_eq!(km_at(&nothing, 1.0, 0.95, Limits::Log).unwrap().surv, None);
    assert_eq!(
        km_median(&nothing, 0.95, Limits::Log).unwrap().status,
        Status::NoData
    );
    assert_eq!(rmst(&nothing, 1.0).unwrap().status, Status::NoData);
    assert_eq!(
        cuminc(&nothing, 0.95, Limits::Log).unwrap().status,
        Status::NoData
    );
    assert_eq!(
        cuminc_at(&nothing, 1, 1.0, 0.95, Limits::Log).unwrap().cif,
        None
    );
    assert_eq!(logrank(&[], &[], &[]).unwrap().status, Status::NoData);
    assert_eq!(
        cox(&[], &[], &[&[]], Ties::Efron, 0.95).unwrap().status,
        Status::NoData
    );
}

#[test]
fn nonsense_is_invalid() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e101] {
        assert_eq!(
            Timeline::of_events(&[bad], &[true]).unwrap_err().argument,
            "durations"
        );
        assert!(logrank(&[bad], &[true], &[0]).is_err());
        assert!(cox(&[1.0], &[true], &[&[bad]], Ties::Efron, 0.95).is_err());
    }
    assert_eq!(
        Timeline::of_events(&[1.0], &[]).unwrap_err().argument,
        "events"
    );
    assert_eq!(
        Timeline::of_causes(&[1.0], &[]).unwrap_err().argument,
        "causes"
    );
    let one = timeline(&[(1.0, true)]);
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(
            km_at(&one, bad, 0.95, Limits::Log).unwrap_err().argument,
            "t"
        );
        assert_eq!(rmst(&one, bad).unwrap_err().argument, "tau");
    }
    assert!(rmst(&one, 0.0).is_err());
    assert_eq!(km(&one, 1.0, Limits::Log).unwrap_err().argument, "conf");
    assert_eq!(
        cuminc_at(&one, 0, 1.0, 0.95, Limits::Log)
            .unwrap_err()
            .argument,
        "cause"
    );
    assert_eq!(
        logrank(&[1.0], &[true], &[]).unwrap_err().argument,
        "groups"
    );
    assert!("logit".parse::<Limits>().is_err() && "exact".parse::<Ties>().is_err());
    let many: Vec<u32> = (0..600).collect();
    assert!(logrank(&vec![1.0; 600], &[true; 600], &many).is_err());
    assert!(
        Timeline::of_causes(&vec![1.0; 600], &many)
            .is_ok_and(|t| cuminc(&t, 0.95, Limits::Log).is_err())
    );
}

#[test]
fn groups_alike_have_a_small_statistic_and_any_label() {
    let durations: Vec<f64> = (0..300).map(|i| f64::from(i / 3)).collect();
    let events = [true; 300];
    let groups: Vec<u32> = (0..300).map(|i| [7, u32::MAX, 1][i % 3]).collect();
    let test = logrank(&durations, &events, &groups).unwrap();
    assert!(test.chi2.unwrap().abs() < 1e-20 && test.p.unwrap() > 0.999_999);
    assert_eq!(
        test.groups.iter().map(|g| g.group).collect::<Vec<_>>(),
        [1, 7, u32::MAX]
    );
    let total: f64 = test.groups.iter().map(|g| g.expected).sum();
    assert!((total - 300.0).abs() < 1e-9);
}

#[test]
fn a_group_that_was_never_at_risk_of_an_event_has_no_degree_of_freedom() {
    let durations = [1.0, 5.0, 6.0, 7.0, 8.0];
    let events = [false, true, true, true, true];
    let test = logrank(&durations, &events, &[9, 0, 1, 0, 1]).unwrap();
    let without = logrank(&durations[1..], &events[1..], &[0, 1, 0, 1]).unwrap();
    assert_eq!((test.df, test.chi2), (1, without.chi2));
    let alone = logrank(&durations, &events, &[0; 5]).unwrap();
    assert_eq!((alone.chi2, alone.status), (None, Status::Infeasible));
    let at_once = logrank(&[1.0; 4], &[true; 4], &[0, 0, 1, 1]).unwrap();
    assert_eq!((at_once.chi2, at_once.status), (None, Status::Infeasible));
}

#[test]
fn the_score_test_of_two_groups_without_ties_is_the_log_rank_test() {
    let rows = Rows(11).take(60, 1_000_000_000, 2);
    let durations: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let events: Vec<bool> = (0..60).map(|i| i % 4 > 0).collect();
    let groups: Vec<u32> = rows.iter().map(|row| row.1).collect();
    let x: Vec<f64> = groups.iter().map(|g| f64::from(*g)).collect();
    let test = logrank(&durations, &events, &groups).unwrap();
    let fit = cox(&durations, &events, &[&x], Ties::Efron, 0.95).unwrap();
    assert!((fit.score_chi2.unwrap() / test.chi2.unwrap() - 1.0).abs() < 1e-10);
}

#[test]
fn cox_does_not_depend_on_units_and_knows_when_it_cannot_tell() {
    let rows = Rows(12).take(200, 50, 3);
    let durations: Vec<f64> = rows.iter().map(|row| row.0).collect();
    let events: Vec<bool> = rows.iter().map(|row| row.1 > 0).collect();
    let mut random = Rows(13);
    let x: Vec<f64> = rows
        .iter()
        .map(|row| row.0 / 9.0 + (random.next() % 100) as f64 / 10.0)
        .collect();
    let scaled: Vec<f64> = x.iter().map(|x| 1e6 + 1e-3 * x).collect();
    let fit = cox(&durations, &events, &[&x], Ties::Efron, 0.95).unwrap();
    let other = cox(&durations, &events, &[&scaled], Ties::Efron, 0.95).unwrap();
    let (a, b) = (fit.terms[0], other.terms[0]);
    assert!((a.coef * 1e3 / b.coef - 1.0).abs() < 1e-6 && (a.z / b.z - 1.0).abs() < 1e-6);
    assert!(a.lo.unwrap() < a.hr.unwrap() && a.hr.unwrap() < a.hi.unwrap());

    let status = |columns: &[&[f64]]| {
        cox(&durations, &events, columns, Ties::Efron, 0.95)
            .unwrap()
            .status
    };
    assert_eq!(status(&[&[0.1; 200]]), Status::Infeasible);
    assert_eq!(status(&[&x, &scaled]), Status::Infeasible);
    assert_eq!(
        cox(&durations, &[false; 200], &[&x], Ties::Efron, 0.95)
            .unwrap()
            .status,
        Status::Infeasible
    );
    // Everyone with x = 1 has the event before anyone with x = 0 is seen to.
    let early: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i < 10))).collect();
    let times: Vec<f64> = (0..20).map(f64::from).collect();
    let endless = cox(&times, &[true; 20], &[&early], Ties::Efron, 0.95).unwrap();
    assert_eq!(
        (endless.status, endless.terms.len()),
        (Status::NotConverged, 0)
    );
}

#[test]
fn two_million_rows_take_no_time_to_speak_of() {
    let rows = Rows(14).take(2_000_000, 1 << 40, 3);
    let timeline = of_causes(&rows);
    let curve = km(&timeline, 0.95, Limits::Log).unwrap();
    let incidence = cuminc(&timeline, 0.95, Limits::Log).unwrap();
    let ended: f64 = incidence
        .causes
        .iter()
        .map(|cause| cause.cif[1_000_000])
        .sum();
    assert!((ended + curve.points[1_000_000].surv - 1.0).abs() < 1e-10);
}
