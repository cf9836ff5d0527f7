//! Growth, retention and pace: the published cases, and what must always hold.

use tributary_engine_stats::calendar::{Calendar, Grain};
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::growth::{
    cagr, growth, like_for_like, pace, retention, retention_of_totals,
};

use crate::calendar::day;
use crate::published::{File, Rng, assert_close, csv};

#[test]
fn j6_simple() {
    let mut file = File::open("j6_simple");
    for case in file.cases.clone() {
        let (input, expected) = (&case["input"], &case["expected"]);
        let number = |key: &str| input[key].as_f64().unwrap();
        if input.get("quota").is_some() {
            let found = pace(
                number("quota"),
                number("revenue_ytd"),
                number("seasonal_share_to_date"),
            )
            .unwrap();
            file.check(
                "attainment",
                found.attainment.unwrap(),
                expected["attainment"].as_f64().unwrap(),
            );
            file.check(
                "pace",
                found.pace.unwrap(),
                expected["pace"].as_f64().unwrap(),
            );
        } else if input.get("cohort_start").is_some() {
            let [start, up, down, gone] =
                ["cohort_start", "expansion", "contraction", "churned"].map(number);
            // The same as customers: one grows, one shrinks, one leaves, one is new.
            let base = [500.0, start - 500.0 - gone, gone, 0.0];
            let now = [500.0 + up, base[1] - down, 0.0, 77.0];
            for found in [
                retention_of_totals(start, up, down, gone).unwrap(),
                retention(&base, &now).unwrap(),
            ] {
                file.check("nrr", found.nrr.unwrap(), expected["nrr"].as_f64().unwrap());
                file.check("grr", found.grr.unwrap(), expected["grr"].as_f64().unwrap());
                assert_eq!(
                    (
                        found.base,
                        found.expansion,
                        found.contraction,
                        found.churned
                    ),
                    (start, up, down, gone)
                );
            }
        } else {
            let found = cagr(number("first"), number("last"), number("periods")).unwrap();
            match expected["cagr"].as_f64() {
                Some(rate) => file.check("cagr", found.rate.unwrap(), rate),
                None => assert!(found.rate.is_none() && found.status != Status::Ok),
            }
        }
    }
    file.report();
}

#[test]
fn s1_compare_growth() {
    let mut file = File::open("s1_compare");
    let case = file
        .cases
        .iter()
        .find(|case| case["input"]["period"] == "2024-01..05")
        .unwrap()
        .clone();
    let expected = &case["expected"];
    let calendar = Calendar::GREGORIAN;
    let rows = csv("compare_revenue.csv");
    let window = |year: i32| -> Vec<f64> {
        let start = calendar
            .year_shift(day("2024-01-01"), Grain::Month, year)
            .unwrap();
        let end = calendar.period_shift(start, Grain::Month, 5).unwrap();
        let units = expected["per_distributor"].as_array().unwrap().iter();
        units
            .map(|unit| {
                let of_unit = rows
                    .iter()
                    .filter(|row| row[0] == unit["distributor"].as_str().unwrap());
                of_unit
                    .filter(|row| (start..end).contains(&day(&row[1])))
                    .map(|row| row[2].parse::<f64>().unwrap())
                    .sum()
            })
            .collect()
    };
    let (base, now) = (window(-1), window(0));
    for (i, unit) in expected["per_distributor"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        assert_eq!(
            (Some(base[i]), Some(now[i])),
            (unit["h0"].as_f64(), unit["h1"].as_f64())
        );
    }
    let found = like_for_like(&base, &now).unwrap();
    file.check(
        "total_growth",
        found.total.unwrap(),
        expected["total_growth"].as_f64().unwrap(),
    );
    file.check(
        "like_for_like",
        found.like_for_like.unwrap(),
        expected["like_for_like_growth"].as_f64().unwrap(),
    );
    assert_eq!(
        (found.n_units, found.new_units, found.lost_units),
        (2, 1, 1)
    );
    file.report();
}

#[test]
fn a_base_of_zero_has_no_growth() {
    let found = growth(0.0, 5.0).unwrap();
    assert_eq!(
        (found.diff, found.rate, found.status),
        (5.0, None, Status::ZeroBase)
    );
    assert_eq!(growth(-5.0, 5.0).unwrap().status, Status::Infeasible);
    assert_eq!(growth(4.0, 5.0).unwrap().rate, Some(0.25));
    assert_eq!(
        growth(f64::MIN_POSITIVE, 1e290).unwrap().status,
        Status::Infeasible
    );
    assert_eq!(cagr(0.0, 1.0, 2.0).unwrap().status, Status::ZeroBase);
    assert_eq!(cagr(1.0, 0.0, 2.0).unwrap().rate, Some(-1.0));
    assert_eq!(cagr(1.0, 1e200, 1e-3).unwrap().status, Status::Infeasible);
    // Two periods of growth compound; a small one keeps its digits.
    assert_close(
        "cagr",
        cagr(100.0, 121.0, 2.0).unwrap().rate.unwrap(),
        0.1,
        1e-14,
    );
    assert_close(
        "cagr",
        cagr(1e8, 1e8 + 1.0, 1.0).unwrap().rate.unwrap(),
        1e-8,
        1e-15,
    );
    let none = pace(0.0, 5.0, 0.5).unwrap();
    assert_eq!(
        (none.attainment, none.pace, none.projected, none.status),
        (None, None, Some(10.0), Status::ZeroBase)
    );
    let early = pace(100.0, 0.0, 0.0).unwrap();
    assert_eq!(
        (early.attainment, early.pace, early.projected, early.status),
        (Some(0.0), None, None, Status::ZeroBase)
    );
    let found = pace(1200.0, 500.0, 0.4).unwrap();
    assert_eq!((found.due, found.projected), (480.0, Some(1250.0)));
}

#[test]
fn nobody_retained_is_not_zero() {
    for (base, now) in [(&[][..], &[][..]), (&[0.0], &[5.0]), (&[-5.0], &[5.0])] {
        let found = retention(base, now).unwrap();
        assert_eq!(
            (found.nrr, found.grr, found.status),
            (None, None, Status::NoData)
        );
    }
    assert_eq!(like_for_like(&[], &[]).unwrap().status, Status::NoData);
    let swapped = like_for_like(&[5.0, 0.0], &[0.0, 4.0]).unwrap();
    assert_close("total", swapped.total.unwrap(), -0.2, 1e-15);
    assert_eq!(
        (swapped.like_for_like, swapped.status),
        (None, Status::NoData)
    );
    let returns = retention(&[10.0, 10.0], &[-5.0, 10.0]).unwrap();
    assert_eq!(
        (returns.nrr, returns.grr, returns.lost_customers),
        (Some(0.5), Some(0.5), 1)
    );
    assert_eq!(
        retention_of_totals(0.0, 5.0, 0.0, 0.0).unwrap().status,
        Status::NoData
    );
}

#[test]
fn gross_is_at_most_net_and_rows_may_come_in_any_order() {
    let mut rng = Rng::new(10);
    for n in 1..200_usize {
        let mut amounts = || -> Vec<f64> {
            (0..n)
                .map(|_| {
                    if rng.unit() < 0.2 {
                        0.0
                    } else {
                        (rng.unit() * 1e6).round() / 100.0
                    }
                })
                .collect()
        };
        let (base, now) = (amounts(), amounts());
        let found = retention(&base, &now).unwrap();
        let lfl = like_for_like(&base, &now).unwrap();
        if let (Some(nrr), Some(grr)) = (found.nrr, found.grr) {
            assert!((0.0..=1.0).contains(&grr) && grr <= nrr);
            let totals = retention_of_totals(
                found.base,
                found.expansion,
                found.contraction,
                found.churned,
            )
            .unwrap();
            assert_close("nrr", totals.nrr.unwrap(), nrr, 1e-12);
            assert!((totals.grr.unwrap() - grr).abs() < 1e-12);
        }
        let same = like_for_like(&base, &base).unwrap();
        assert!(
            same.total.is_none_or(|rate| rate == 0.0)
                && same.like_for_like.is_none_or(|rate| rate == 0.0)
        );
        let reversed = |v: &[f64]| v.iter().rev().copied().collect::<Vec<f64>>();
        assert_eq!(retention(&reversed(&base), &reversed(&now)).unwrap(), found);
        assert_eq!(
            like_for_like(&reversed(&base), &reversed(&now)).unwrap(),
            lfl
        );
    }
}

#[test]
fn nonsense_is_invalid() {
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(growth(bad, 1.0).unwrap_err().argument, "base");
        assert!(cagr(1.0, bad, 1.0).is_err() && pace(bad, 1.0, 0.5).is_err());
        assert!(retention(&[bad], &[1.0]).is_err() && like_for_like(&[1.0], &[bad]).is_err());
    }
    for periods in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(cagr(1.0, 2.0, periods).is_err());
    }
    assert!(retention(&[1.0], &[]).is_err());
    assert!(pace(-1.0, 1.0, 0.5).is_err() && pace(1.0, 1.0, 1.1).is_err());
    assert!(retention_of_totals(100.0, 0.0, 60.0, 60.0).is_err());
    assert!(retention_of_totals(100.0, -1.0, 0.0, 0.0).is_err());
}

/// Finite where present, for amounts of every kind.
#[test]
fn no_amounts_make_a_nan() {
    let odd = [-1e290, -1.0, -5e-324, -0.0, 0.0, 5e-324, 0.1, 1.0, 1e290];
    let mut all = vec![];
    for a in odd {
        for b in odd {
            let g = growth(a, b).unwrap();
            all.extend([Some(g.diff), g.rate, cagr(a, b, 5e-324).unwrap().rate]);
            for c in odd {
                let r = retention(&[a, b], &[c, a]).unwrap();
                let l = like_for_like(&[a, b], &[c, a]).unwrap();
                all.extend([r.nrr, r.grr, Some(r.churned), l.total, l.like_for_like]);
                if let Ok(p) = pace(a, b, c) {
                    all.extend([p.attainment, p.pace, Some(p.due), p.projected]);
                }
                if let Ok(r) = retention_of_totals(a, b, c, 0.0) {
                    all.extend([r.nrr, r.grr]);
                }
            }
        }
    }
    assert!(all.into_iter().flatten().all(f64::is_finite));
}
