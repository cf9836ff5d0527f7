//! How many tables a statement reads: as written, and with each common table expression counted wherever it is used.
//!
//! The planner copies a common table expression into every place that names it, so that a few lines which each name the
//! one before twice make a plan of any size. Knows names only: it looks nothing up.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{ObjectName, Query, Visit, Visitor};

/// The two counts; `expanded` stops at the largest number there is.
#[derive(Default)]
pub struct Relations {
    pub named: usize,
    pub expanded: usize,
}

impl Relations {
    pub fn of(statement: &Statement) -> Self {
        Self::with_views(statement, &HashMap::new())
    }

    /// The same, where one use of a view counts as many tables as the view reads.
    pub fn with_views(statement: &Statement, views: &HashMap<String, usize>) -> Self {
        let mut counter = Counter {
            views: views.clone(),
            ..Counter::default()
        };
        let inner = match statement {
            Statement::Statement(inner) => inner,
            Statement::Explain(explain) => return Self::with_views(&explain.statement, views),
            _ => return Self::default(),
        };
        let _ = inner.visit(&mut counter);
        Self {
            named: counter.named,
            expanded: counter
                .sums
                .iter()
                .fold(counter.outside, |sum, one| sum.saturating_add(*one)),
        }
    }
}

/// Walks the statement: the body of a common table expression is met before what uses it.
#[derive(Default)]
struct Counter {
    named: usize,
    outside: usize,
    /// Relations of each query that the walk is in.
    sums: Vec<usize>,
    /// Where the body of each common table expression stands, and its name.
    bodies: HashMap<usize, String>,
    weights: HashMap<String, usize>,
    /// Tables behind each saved view, by its name without a schema.
    views: HashMap<String, usize>,
}

fn place(query: &Query) -> usize {
    std::ptr::from_ref(query).addr()
}

impl Visitor for Counter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = cte.alias.name.value.to_ascii_lowercase();
            self.bodies.insert(place(&cte.query), name);
        }
        self.sums.push(0);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let sum = self.sums.pop().unwrap_or_default();
        match self.bodies.remove(&place(query)) {
            Some(name) => {
                self.weights.insert(name, sum.max(1));
            }
            None => {
                let outer = self.sums.last_mut().unwrap_or(&mut self.outside);
                *outer = outer.saturating_add(sum);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        self.named += 1;
        let last = name.0.last().and_then(|part| part.as_ident());
        let view = last.and_then(|last| self.views.get(&last.value.to_ascii_lowercase()));
        let name = name.to_string().to_ascii_lowercase();
        let weight = self.weights.get(&name).copied().unwrap_or(1);
        let weight = weight.max(view.copied().unwrap_or(1));
        let sum = self.sums.last_mut().unwrap_or(&mut self.outside);
        *sum = sum.saturating_add(weight);
        ControlFlow::Continue(())
    }
}
