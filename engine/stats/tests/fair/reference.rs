//! Rates, samples and fair comparison against other implementations: scipy 1.17, statsmodels 0.14, mpmath with 40
//! digits, and numbers that R's documentation prints.

use tributary_engine_stats::better::p_better;
use tributary_engine_stats::count::{Method, count_ci, rate_ratio_ci};
use tributary_engine_stats::difference::rate_difference_test;
use tributary_engine_stats::estimate::Status;
use tributary_engine_stats::funnel::{Kind, Options, funnel_limits};
use tributary_engine_stats::rank::{kendall_w, spearman};
use tributary_engine_stats::shrink::{
    CountMethod, MeanMethod, RateMethod, eb_count, eb_mean, eb_rate,
};
use tributary_engine_stats::table::{Weights, fisher_p, kappa_weighted};

fn close(actual: impl Into<Option<f64>>, expected: f64, tolerance: f64) {
    let actual: Option<f64> = actual.into();
    let actual = actual.unwrap();
    let error = (actual - expected).abs() / expected.abs().max(1e-300);
    assert!(
        error <= tolerance || actual == expected,
        "{actual} for {expected}, off by {error:e}"
    );
}

#[test]
fn garwood_is_scipy_gamma() {
    let rows = [
        (0, 3.5, 0.95, 0.0, 1.053_965_558_318_267_2),
        (
            1,
            1.0,
            0.95,
            0.025_317_807_984_289_897,
            5.571_643_390_938_898,
        ),
        (7, 2.5, 0.9, 1.314_126_276_757_868_5, 5.259_245_520_972_849),
        (
            100,
            120.3,
            0.99,
            0.632_755_576_423_019,
            1.070_329_011_804_695_3,
        ),
        (
            12345,
            1e4,
            0.95,
            1.212_818_090_789_908,
            1.256_472_220_691_333_2,
        ),
        (
            1_000_000_000,
            5e8,
            0.95,
            1.999_876_042_887_855_7,
            2.000_123_962_900_818,
        ),
    ];
    for (events, exposure, conf, lo, hi) in rows {
        let e = count_ci(events, exposure, conf, Method::Garwood).unwrap();
        close(e.lo, lo, 1e-12);
        close(e.hi, hi, 1e-12);
    }
    // R: poisson.test(137, 24.19893) prints 4.753125 and 6.692709.
    let e = count_ci(137, 24.198_93, 0.95, Method::Garwood).unwrap();
    close(e.lo, 4.753_125, 2e-7);
    close(e.hi, 6.692_709, 2e-7);
}

#[test]
fn byar_is_near_garwood() {
    for events in [1, 3, 10, 100, 100_000] {
        let exact = count_ci(events, 1.0, 0.95, Method::Garwood).unwrap();
        let byar = count_ci(events, 1.0, 0.95, Method::Byar).unwrap();
        let tolerance = 0.5 / (events as f64).powi(2) + 1e-4;
        close(byar.lo, exact.lo.unwrap(), tolerance);
        close(byar.hi, exact.hi.unwrap(), tolerance);
    }
}

#[test]
fn rate_ratio_is_the_conditional_binomial_test() {
    let rows = [
        (
            11,
            800.0,
            23,
            3000.0,
            0.789_310_945_699_126_6,
            3.829_820_066_816_624_5,
            0.137_168_691_678_205_67,
        ),
        (
            0,
            10.0,
            5,
            20.0,
            0.0,
            2.182_558_210_365_092,
            0.176_954_732_510_288,
        ),
        (
            3,
            1.0,
            3,
            1.0,
            0.133_937_588_177_730_2,
            7.466_164_006_724_067,
            1.0,
        ),
        (
            60,
            51477.5,
            30,
            54308.7,
            1.339_735_721_771_669_4,
            3.388_365_573_624_323_4,
            0.000_675_182_658_686_321_9,
        ),
        (
            1000,
            10.0,
            1100,
            10.5,
            0.875_325_164_136_438_1,
            1.040_841_807_468_696_5,
            0.294_754_752_521_369_96,
        ),
    ];
    for (c1, e1, c2, e2, lo, hi, p) in rows {
        let ratio = rate_ratio_ci(c1, e1, c2, e2, 0.95).unwrap();
        close(ratio.ratio, c1 as f64 / e1 / (c2 as f64 / e2), 1e-14);
        close(ratio.lo, lo, 1e-11);
        close(ratio.hi, hi, 1e-11);
        close(ratio.p, p, 1e-11);
    }
    let open = rate_ratio_ci(137, 24.198_93, 0, 25.0, 0.95).unwrap();
    assert_eq!(
        (open.ratio, open.hi, open.status),
        (None, None, Status::ZeroBase)
    );
    close(open.lo, 37.853_835_913_214_59, 1e-10);
    close(open.p, 6.055_489_734_687_639e-43, 1e-10);
}

#[test]
fn difference_is_the_pooled_z_test() {
    let rows = [
        (
            20,
            100,
            30,
            100,
            -1.632_993_161_855_451_8,
            0.102_470_434_859_749_41,
        ),
        (
            5,
            56,
            0,
            29,
            1.658_648_869_239_228_5,
            0.097_186_568_170_579_73,
        ),
        (
            56,
            70,
            48,
            80,
            2.650_171_951_258_533_6,
            0.008_045_081_368_196_56,
        ),
    ];
    for (x1, n1, x2, n2, z, p) in rows {
        let difference = rate_difference_test(x1, n1, x2, n2, 0.95).unwrap();
        close(difference.z, z, 1e-13);
        close(difference.p, p, 1e-12);
    }
    let alike = rate_difference_test(0, 10, 0, 20, 0.95).unwrap();
    assert_eq!((alike.z, alike.p), (Some(0.0), Some(1.0)));
}

#[test]
fn fisher_is_scipy_fisher_exact() {
    let rows = [
        // Fisher's tea drinker, and R's ?fisher.test: convictions of like-sex twins, 0.0005367.
        ([3, 1, 1, 3], 0.485_714_285_714_285_65),
        ([2, 10, 15, 3], 0.000_536_724_119_143_435_7),
        ([1, 2, 0, 0], 1.0),
        ([0, 5, 5, 0], 0.007_936_507_936_507_938),
        ([1000, 1100, 900, 1200], 0.002_142_817_897_725_515_4),
        ([0, 16, 4, 20], 0.136_185_578_290_841_46),
        ([50_000, 51_000, 49_000, 52_000], 8.732_210_995_629_179e-6),
    ];
    for ([a, b, c, d], p) in rows {
        close(fisher_p(a, b, c, d), p, 1e-9);
        close(fisher_p(c, d, a, b), p, 1e-9);
        close(fisher_p(a, c, b, d), p, 1e-9);
    }
}

#[test]
fn p_better_matches_forty_digits() {
    let rows = [
        (20, 100, 30, 100, 1.0, 1.0, 0.947_603_103_352_369_2),
        (3, 10, 9, 30, 1.0, 1.0, 0.461_820_289_993_664_6),
        (0, 5, 1, 50, 1.0, 1.0, 0.201_127_819_548_872_18),
        (500, 1000, 300, 1000, 1.0, 1.0, 2.572_338_229_886_436e-20),
        (2, 9, 3, 7, 0.5, 0.5, 0.810_814_218_388_666_1),
    ];
    for (y1, n1, y2, n2, a, b, p) in rows {
        close(p_better(y1, n1, y2, n2, a, b).unwrap(), p, 1e-11);
    }
}

#[test]
fn spearman_is_scipy_spearmanr() {
    let x = [
        106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0,
    ];
    let y = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
    let s = spearman(&x, &y).unwrap();
    close(s.rho, -29.0 / 165.0, 1e-15);
    close(s.p, 0.627_188_344_776_484_6, 1e-12);
    let x = [1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 8.0];
    let y = [2.0, 1.0, 3.0, 3.0, 4.0, 9.0, 7.0, 9.0];
    let s = spearman(&x, &y).unwrap();
    close(s.rho, 0.900_777_510_540_147_7, 1e-14);
    close(s.p, 0.002_264_009_064_674_261_6, 1e-12);
    assert_eq!(s.p_exact, None);
    // R: cor.test(method = "spearman") of the ?cor.test example (Hollander & Wolfe 1973) prints rho 0.6, p 0.09677.
    let x = [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1];
    let y = [2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8];
    let s = spearman(&x, &y).unwrap();
    close(s.rho, 0.6, 1e-15);
    close(s.p_exact, 0.0968, 1e-3);
}

#[test]
fn kendall_w_of_tied_ranks() {
    // Siegel & Castellan (1988) style: two judges in agreement but for ties, and no agreement at all.
    let agreed = kendall_w(&[vec![1.0, 2.0, 2.0, 4.0], vec![10.0, 20.0, 20.0, 40.0]]).unwrap();
    close(agreed.w, 1.0, 1e-15);
    let opposed = kendall_w(&[vec![1.0, 2.0, 3.0], vec![3.0, 2.0, 1.0]]).unwrap();
    assert_eq!((opposed.w, opposed.p), (Some(0.0), Some(1.0)));
    assert_eq!(
        kendall_w(&[vec![2.0; 3], vec![5.0; 3]]).unwrap().status,
        Status::Infeasible
    );
}

#[test]
fn beta_binomial_maximum_matches_forty_digits() {
    // The rat tumours' maximum where both derivatives vanish; b1's is the optimiser's, good to 1e-6.
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/verify/rat_tumors.csv"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let (y, n): (Vec<u64>, Vec<u64>) = text
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<u64> = line.split(',').map(|c| c.trim().parse().unwrap()).collect();
            (cells[1], cells[2])
        })
        .unzip();
    let prior = eb_rate(&y, &n, RateMethod::Mle, 0.95, 0.75).unwrap().prior;
    close(prior.a, 2.341_614_403_333_645, 1e-10);
    close(prior.b, 14.114_804_298_441_3, 1e-10);
}

#[test]
fn gamma_poisson_pumps() {
    // Gaver & O'Muircheartaigh (1987): ten pumps.
    let y = [5, 1, 5, 14, 3, 19, 1, 1, 4, 22];
    let t = [
        94.32, 15.72, 62.88, 125.76, 5.24, 31.44, 1.048, 1.048, 2.096, 10.48,
    ];
    let shrunk = eb_count(&y, &t, CountMethod::Mle, 0.95, 0.75).unwrap();
    let (shape, rate) = (0.822_268_649_688_646_4, 1.258_954_443_370_719_2);
    close(shrunk.prior.shape, shape, 1e-10);
    close(shrunk.prior.rate, rate, 1e-10);
    close(shrunk.prior.log_likelihood, -143.816_483_000_257_36, 1e-12);
    close(shrunk.units[0].est, (shape + 5.0) / (rate + 94.32), 1e-10);
    close(shrunk.units[0].weight, 94.32 / (rate + 94.32), 1e-10);
    let moments = eb_count(&y, &t, CountMethod::Moments, 0.95, 0.75)
        .unwrap()
        .prior;
    close(moments.shape, 0.303_223_422_204_998_76, 1e-12);
    close(moments.rate, 1.415_172_012_283_468_3, 1e-12);
}

#[test]
fn means_of_the_bcg_trials() {
    // R: metafor's dat.bcg, log relative risks. rma() prints tau^2 0.3132, estimate -0.7145, se 0.1798; with
    // method = "DL" tau^2 0.3088; Q is 152.2330.
    let x = [
        -0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694, -1.3713,
        -0.3394, 0.4459, -0.0173,
    ];
    let variance = [
        0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730, 0.0124,
        0.5325, 0.0714_f64,
    ];
    let se = variance.map(f64::sqrt);
    let reml = eb_mean(&x, &se, MeanMethod::Reml, 0.95, 0.75)
        .unwrap()
        .prior;
    close(reml.tau2, 0.3132, 1e-3);
    close(reml.mean, -0.7145, 1e-3);
    close(reml.mean_se, 0.1798, 1e-3);
    assert_eq!(reml.status, Status::Ok);
    let moments = eb_mean(&x, &se, MeanMethod::Auto, 0.95, 0.75)
        .unwrap()
        .prior;
    close(moments.tau2, 0.3088, 3e-3);
    close(moments.q, 152.233, 5e-3);
}

#[test]
fn james_stein_of_the_baseball_players() {
    // Efron & Morris (1975) table 1: 18 batting averages after 45 times at bat, as √45 arcsin(2p-1), whose variance
    // is 1. Their weight is 0.209.
    let hits = [
        18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7,
    ];
    let x: Vec<f64> = hits
        .iter()
        .map(|h| 45_f64.sqrt() * (2.0 * f64::from(*h) / 45.0 - 1.0).asin())
        .collect();
    let shrunk = eb_mean(&x, &[1.0; 18], MeanMethod::Auto, 0.95, 0.75).unwrap();
    close(shrunk.units[0].weight, 0.209, 2e-3);
}

#[test]
fn beta_binomial_tails_add_up() {
    // With a target and a spread that make the shapes (8, 32): the other units are there to give τ².
    let y = [3.0, 12.0, 2.0, 30.0, 9.0, 1.0, 14.0];
    let n = [36.0, 36.0, 36.0, 100.0, 36.0, 30.0, 40.0];
    let options = Options {
        target: Some(0.2),
        ..Options::of(Kind::Rate)
    };
    let funnel = funnel_limits(&y, &n, &options).unwrap();
    let rho = funnel.tau2.unwrap() / 0.16;
    assert!(rho > 0.01, "{rho}");
    let strength = 1.0 / rho - 1.0;
    // P(Y <= y) by adding up Π (a+i)/(s+i) products.
    let (a, b) = (0.2 * strength, 0.8 * strength);
    for (unit, (y, n)) in funnel.units.iter().zip(y.into_iter().zip(n)) {
        let mut pmf = (0..n as u32)
            .map(|i| (b + f64::from(i)) / (strength + f64::from(i)))
            .product::<f64>();
        let mut p_low = 0.0;
        for k in 0..=y as u32 {
            let k = f64::from(k);
            p_low += pmf;
            pmf *= (n - k) / (k + 1.0) * (a + k) / (b + n - k - 1.0);
        }
        close(unit.p_low, p_low, 1e-12);
    }
}

#[test]
fn quadratic_kappa_of_cohen() {
    // Cohen (1968), as psych::cohen.kappa documents it: kappa .49 with [.39, .59] for n = 200 at unequal weights.
    let shares = [[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]];
    let table: Vec<Vec<f64>> = shares
        .iter()
        .map(|row| row.iter().map(|share| 200.0 * share).collect())
        .collect();
    let plain = kappa_weighted(&table, Weights::Unweighted, 0.95).unwrap();
    close(plain.lo, 0.39, 0.02);
    close(plain.hi, 0.59, 0.02);
}
