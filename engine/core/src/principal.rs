//! Who asks, and what each role may do: one table, which every door of the engine asks.
//!
//! Knows nothing of tokens, of which the control file keeps what they stand for, and nothing of HTTP.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::fault::{Error, Fault, Result};
use crate::manufacturer::ManufacturerId;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// Runs the installation; may see and do everything.
    Operator,
    /// Belongs to one manufacturer and sees nothing else.
    Member(Member),
}

/// Somebody of one manufacturer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Whose tables.
    pub manufacturer: ManufacturerId,
    /// What it may do there.
    pub role: Role,
    /// Which token it came with: what records call it by.
    pub token_id: String,
}

/// What somebody of a manufacturer may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything in its manufacturer, tokens included.
    Admin,
    /// Asks in SQL, and saves views, queries and metrics.
    Analyst,
    /// Sends rows, and asks nothing.
    Ingester,
    /// Uploads plugins as drafts and reads what became of them; puts none in force.
    Uploader,
    /// Runs named queries: these, or any where none is named.
    Dashboard(Vec<String>),
    /// Asks in SQL, and runs named queries, over the rows of the distributor of this id: see [`Scope`].
    Distributor(String),
}

/// Which rows of its manufacturer's tables somebody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Whole,
    /// What concerns the distributor of this id.
    Distributor(Arc<str>),
}

/// What somebody is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Ask in SQL of its own.
    Query,
    /// Run a named query.
    RunQuery,
    /// Read what is saved: views, named queries, metrics.
    ReadSaved,
    /// Save or delete it.
    Save,
    /// Send rows.
    Ingest,
    /// Add columns to a table.
    Declare,
    /// Read what a manufacturer has set for itself.
    ReadSettings,
    /// Set it.
    ChangeSettings,
    /// Read of plugins: versions, logs, differences.
    ReadPlugins,
    /// Upload a plugin as a draft.
    Upload,
    /// Put a plugin in force, or the one before.
    Activate,
    /// Apply the rules in force, and record what they say.
    Decide,
    /// Ask why a lead has its verdicts.
    Explain,
    /// Issue, list and revoke tokens.
    Tokens,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Query,
        Self::RunQuery,
        Self::ReadSaved,
        Self::Save,
        Self::Ingest,
        Self::Declare,
        Self::ReadSettings,
        Self::ChangeSettings,
        Self::ReadPlugins,
        Self::Upload,
        Self::Activate,
        Self::Decide,
        Self::Explain,
        Self::Tokens,
    ];

    /// In words, after "may not".
    const fn told(self) -> &'static str {
        match self {
            Self::Query => "ask in SQL of its own",
            Self::RunQuery => "run named queries",
            Self::ReadSaved => "read what is saved",
            Self::Save => "save or delete views, queries and metrics",
            Self::Ingest => "send rows",
            Self::Declare => "add columns",
            Self::ReadSettings => "read settings",
            Self::ChangeSettings => "change settings",
            Self::ReadPlugins => "read of plugins",
            Self::Upload => "upload plugins",
            Self::Activate => "put plugins in force",
            Self::Decide => "apply rules",
            Self::Explain => "ask for explanations",
            Self::Tokens => "issue, list or revoke tokens",
        }
    }
}

impl Role {
    /// The names that roles have on the command line, in HTTP and in records.
    pub const NAMES: [&str; 6] = [
        "admin",
        "analyst",
        "ingester",
        "uploader",
        "dashboard",
        "distributor",
    ];

    /// The role's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Ingester => "ingester",
            Self::Uploader => "uploader",
            Self::Dashboard(_) => "dashboard",
            Self::Distributor(_) => "distributor",
        }
    }

    /// The role of a name; `queries` are those that a dashboard runs, `distributor` is the id of a distributor.
    pub fn named(name: &str, queries: Vec<String>, distributor: Option<String>) -> Result<Self> {
        let role = match name {
            "admin" => Self::Admin,
            "analyst" => Self::Analyst,
            "ingester" => Self::Ingester,
            "uploader" => Self::Uploader,
            "dashboard" => Self::Dashboard(queries.clone()),
            "distributor" => Self::Distributor(distributor.clone().unwrap_or_default()),
            _ => return Err(no_role(name)),
        };
        let a_dashboards = matches!(role, Self::Dashboard(_)) || queries.is_empty();
        let a_distributors = matches!(role, Self::Distributor(_)) || distributor.is_none();
        match &role {
            Self::Distributor(id) if id.is_empty() => Err(Error::new(
                Fault::Invalid,
                "a distributor's token needs the id of the distributor",
            )
            .with_hint("It is the distributor_id of the table distributors.")),
            _ if !a_dashboards => Err(Error::new(
                Fault::Invalid,
                format!("only a dashboard's token names queries, not that of an {role}"),
            )),
            _ if !a_distributors => Err(Error::new(
                Fault::Invalid,
                format!("only a distributor's token names a distributor, not that of an {role}"),
            )),
            _ => Ok(role),
        }
    }

    /// Whether it may do this.
    #[must_use]
    pub const fn may(&self, act: Act) -> bool {
        match self {
            Self::Admin => true,
            Self::Analyst => matches!(
                act,
                Act::Query
                    | Act::RunQuery
                    | Act::ReadSaved
                    | Act::Save
                    | Act::ReadSettings
                    | Act::ReadPlugins
                    | Act::Explain
            ),
            Self::Ingester => matches!(act, Act::Ingest | Act::Declare),
            Self::Uploader => matches!(act, Act::Upload | Act::ReadPlugins),
            Self::Dashboard(_) => matches!(act, Act::RunQuery),
            // An explanation tells a manufacturer's settings, and reasons that a plugin words as it likes.
            Self::Distributor(_) => matches!(act, Act::Query | Act::RunQuery),
        }
    }

    /// Whether it may run the named query of this name.
    pub(crate) fn may_run(&self, name: &str) -> bool {
        match self {
            Self::Dashboard(queries) => queries.is_empty() || queries.iter().any(|it| it == name),
            _ => self.may(Act::RunQuery),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Principal {
    /// Somebody of a manufacturer, without a token: for those who embed the engine.
    #[must_use]
    pub fn member(manufacturer: ManufacturerId, role: Role) -> Self {
        Self::Member(Member {
            manufacturer,
            role,
            token_id: String::new(),
        })
    }

    /// Whether anything of this manufacturer exists for it.
    #[must_use]
    pub fn sees(&self, manufacturer: &ManufacturerId) -> bool {
        match self {
            Self::Operator => true,
            Self::Member(member) => member.manufacturer == *manufacturer,
        }
    }

    /// Refuses what its role does not do.
    pub(crate) fn check(&self, act: Act) -> Result<()> {
        match self {
            Self::Member(member) if !member.role.may(act) => Err(denied(&member.role, act)),
            _ => Ok(()),
        }
    }

    /// Which rows it sees.
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::Member(member) => match &member.role {
                Role::Distributor(id) => Scope::Distributor(id.as_str().into()),
                Role::Admin
                | Role::Analyst
                | Role::Ingester
                | Role::Uploader
                | Role::Dashboard(_) => Scope::Whole,
            },
            Self::Operator => Scope::Whole,
        }
    }

    /// Whether it may run the named query of this name.
    pub(crate) fn may_run(&self, name: &str) -> bool {
        match self {
            Self::Operator => true,
            Self::Member(member) => member.role.may_run(name),
        }
    }
}

/// How records call a principal.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Member(member) if member.token_id.is_empty() => member.role.fmt(f),
            Self::Member(member) => write!(f, "{} {}", member.role, member.token_id),
        }
    }
}

fn no_role(name: &str) -> Error {
    let shown: String = name.chars().take(63).collect();
    Error::new(Fault::Invalid, format!("role {shown:?} does not exist"))
        .with_hint(format!("The roles are {}.", Role::NAMES.join(", ")))
}

/// One of each role, in the order of their names.
const fn each_role() -> [Role; Role::NAMES.len()] {
    [
        Role::Admin,
        Role::Analyst,
        Role::Ingester,
        Role::Uploader,
        Role::Dashboard(Vec::new()),
        Role::Distributor(String::new()),
    ]
}

fn denied(role: &Role, act: Act) -> Error {
    let roles = each_role().into_iter().filter(|role| role.may(act));
    let able: Vec<&str> = roles.map(|role| role.name()).collect();
    Error::new(
        Fault::Denied,
        format!("a token with the role {role} may not {}", act.told()),
    )
    .with_hint(format!("Roles that may: {}.", able.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_an_admins_and_somebody_else_has_less() {
        for act in Act::ALL {
            assert!(Role::Admin.may(act), "{act:?}");
        }
        assert_eq!(each_role().map(|role| role.name()), Role::NAMES);
        for role in &each_role()[1..] {
            assert!(!role.may(Act::Tokens) && !role.may(Act::Activate), "{role}");
        }
    }

    #[test]
    fn a_dashboard_runs_its_queries_only() {
        let some = Role::named("dashboard", vec!["wins".to_owned()], None).expect("a role");
        assert!(some.may_run("wins") && !some.may_run("losses"));
        assert!(Role::Dashboard(Vec::new()).may_run("losses"));
        assert!(!Role::Ingester.may_run("wins"));
        assert!(Role::named("analyst", vec!["wins".to_owned()], None).is_err());
        assert!(Role::named("root", Vec::new(), None).is_err());
    }

    #[test]
    fn a_distributor_has_an_id_and_sees_its_own() {
        let id = || Some("D1".to_owned());
        let role = Role::named("distributor", Vec::new(), id()).expect("a role");
        let acme = ManufacturerId::try_from("acme").expect("a name");
        let principal = Principal::member(acme.clone(), role);
        assert_eq!(principal.scope(), Scope::Distributor("D1".into()));
        assert_eq!(Principal::member(acme, Role::Analyst).scope(), Scope::Whole);
        assert!(Role::named("distributor", Vec::new(), None).is_err());
        assert!(Role::named("distributor", Vec::new(), Some(String::new())).is_err());
        assert!(Role::named("distributor", vec!["wins".to_owned()], id()).is_err());
        assert!(Role::named("admin", Vec::new(), id()).is_err());
    }
}
