//! Who may do what: the one ladder. Each right is built on a stronger one; nothing else in Kepu decides about access.
//! Whether a session is genuine is decided in `kepu-app::account`, which routes ask for what in `kepu-web::routes`.

use crate::ids::{AccountId, OrgId};
use serde::{Deserialize, Serialize};

/// What a person may be in one organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Writes drafts and sends them to review.
    Contributor,
    /// Reviews what others wrote, within stated competence.
    Reviewer,
    /// Assigns reviews, signs and publishes, corrects and withdraws.
    Editor,
    /// Works cases: asks experts, issues holding statements.
    DutyOfficer,
    /// Cares for the organisation: members, roles, registry entries, partner nodes.
    Steward,
    /// Reads facts and figures before they are public.
    Statistician,
    /// Runs the machine: nodes, jobs, settings. Sees no drafts, changes no log.
    SystemAdmin,
    /// Grants the administrators' roles, unlocks accounts, demands second factors.
    SecurityAdmin,
    /// Reads and verifies the audit log, and nothing else.
    AuditAdmin,
}

/// Every role, in the order they are shown.
pub const ROLES: [Role; 9] = [
    Role::Contributor,
    Role::Reviewer,
    Role::Editor,
    Role::DutyOfficer,
    Role::Steward,
    Role::Statistician,
    Role::SystemAdmin,
    Role::SecurityAdmin,
    Role::AuditAdmin,
];

impl Role {
    /// The word stored and shown to programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Contributor => "contributor",
            Role::Reviewer => "reviewer",
            Role::Editor => "editor",
            Role::DutyOfficer => "duty_officer",
            Role::Steward => "steward",
            Role::Statistician => "statistician",
            Role::SystemAdmin => "system_admin",
            Role::SecurityAdmin => "security_admin",
            Role::AuditAdmin => "audit_admin",
        }
    }

    /// Reads the stored word.
    pub fn parse(text: &str) -> Option<Role> {
        ROLES.into_iter().find(|role| role.as_str() == text)
    }

    /// The three administrators of GB/T 22239 that no one person may combine, with each other or with content roles.
    pub fn is_admin(self) -> bool {
        matches!(self, Role::SystemAdmin | Role::SecurityAdmin | Role::AuditAdmin)
    }

    /// Roles whose sign-in needs a second factor when the node demands it.
    pub fn is_sensitive(self) -> bool {
        self.is_admin() || matches!(self, Role::Editor | Role::Reviewer | Role::Steward | Role::Statistician)
    }
}

/// A role held in an organisation. It also holds in every organisation below, but for the administrators,
/// whose roles are about the node and count only where they are held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Where.
    pub org: OrgId,
    /// What.
    pub role: Role,
}

/// Everything one can do that not everybody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See the desk and one's own work.
    UseDesk,
    /// Write a draft.
    Draft,
    /// Review an assigned draft.
    Review,
    /// Work on a case: take it, ask an expert, note a step.
    WorkCase,
    /// See what meetings and inspections ask of which place, take it on and report.
    TakeOn,
    /// Record what a meeting decided, draw an inspection, change and end what was asked.
    Coordinate,
    /// See by which ways signals come in, and how they stand.
    SeeIntake,
    /// Say publicly what is known and not known while a claim is checked.
    IssueHolding,
    /// Assign reviewers, sign, publish.
    Publish,
    /// Correct or withdraw what is public.
    Correct,
    /// Take what is public out of sight while it is looked at again.
    Hold,
    /// Import files.
    Import,
    /// Open the pages of imports: of texts, or of registers.
    BringFiles,
    /// Manage members and registry entries of an organisation.
    ManageMembers,
    /// Invite, subscribe, see and repair other nodes.
    ManageNodes,
    /// See and retry jobs.
    ManageJobs,
    /// Grant administrator roles, unlock accounts.
    ManageSecurity,
    /// Open the pages of members, as far as one cares for them.
    SeeMembers,
    /// Read and verify the audit log.
    ReadAudit,
    /// Read figures before publication.
    ReadFacts,
    /// Confirm or refuse, for an institution, what others say they did for it.
    ConfirmContribution,
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody is signed in.
    #[error("sign in first")]
    NotSignedIn,
    /// Signed in, but without the role.
    #[error("{action:?} needs another role in this organisation")]
    NoRole {
        /// What was attempted.
        action: Action,
    },
    /// One's own work cannot be decided by oneself.
    #[error("nobody decides about their own work")]
    OwnWork,
}

/// Who is acting: a visitor, a signed-in person, or the node itself (command line, jobs, peers).
#[derive(Clone, Debug)]
pub enum Actor {
    /// Anybody. Never identified, never logged.
    Visitor,
    /// A person with their memberships; `orgs_above` of the organisation asked about are looked up by the caller.
    Person {
        /// The account.
        account: AccountId,
        /// Name shown in reviews and logs.
        name: String,
        /// Roles held.
        memberships: Vec<Membership>,
    },
    /// The operator at the command line, a job, or a verified peer, named for the log.
    Node {
        /// For example `operator`, `job:index`, `peer:did:key:…`.
        name: String,
    },
}

/// An organisation with all organisations above it, nearest first: where a role may be held to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgLine(pub Vec<OrgId>);

impl Actor {
    /// The account, if a person acts.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Actor::Person { account, .. } => Some(account),
            _ => None,
        }
    }

    /// The name written into the audit log.
    pub fn log_name(&self) -> String {
        match self {
            Actor::Visitor => "visitor".into(),
            Actor::Person { account, .. } => format!("account:{account}"),
            Actor::Node { name } => name.clone(),
        }
    }

    /// Whether the actor holds `role` at `line` (there or above; administrators only there or anywhere if `line` is empty).
    pub fn holds(&self, role: Role, line: Option<&OrgLine>) -> bool {
        match self {
            Actor::Visitor => false,
            Actor::Node { .. } => true,
            Actor::Person { memberships, .. } => memberships.iter().any(|held| {
                held.role == role
                    && match line {
                        None => true,
                        Some(line) if role.is_admin() => line.0.first() == Some(&held.org),
                        Some(line) => line.0.contains(&held.org),
                    }
            }),
        }
    }

    /// Whether the actor may do `action` for the organisation at `line` (`None`: for any organisation).
    pub fn may(&self, action: Action, line: Option<&OrgLine>) -> Result<(), Denied> {
        if matches!(self, Actor::Visitor) {
            return Err(Denied::NotSignedIn);
        }
        if self.can(action, line) { Ok(()) } else { Err(Denied::NoRole { action }) }
    }

    /// Whether the actor may disable, enable, rename or give a new password to an account that holds these roles.
    ///
    /// The security administrator may for every account. Stewards may for accounts all of whose roles lie where they are
    /// stewards and of which none is sensitive: else a steward could act in the name of a reviewer.
    pub fn may_care_for(&self, held: &[(Role, OrgLine)]) -> Result<(), Denied> {
        let cares = |(role, line): &(Role, OrgLine)| !role.is_sensitive() && self.may(Action::ManageMembers, Some(line)).is_ok();
        match self.may(Action::ManageSecurity, None) {
            Err(Denied::NoRole { .. }) if !held.is_empty() && held.iter().all(cares) => Ok(()),
            decided => decided,
        }
    }

    /// The organisations at which the actor may do `action`; it holds in everything below them. `None`: everywhere.
    pub fn roots(&self, action: Action) -> Option<Vec<OrgId>> {
        let Actor::Person { memberships, .. } = self else {
            return if matches!(self, Actor::Node { .. }) { None } else { Some(vec![]) };
        };
        let mut orgs: Vec<OrgId> = memberships.iter().map(|held| held.org.clone()).collect();
        orgs.sort_unstable();
        orgs.dedup();
        orgs.retain(|org| self.can(action, Some(&OrgLine(vec![org.clone()]))));
        Some(orgs)
    }

    /// The ladder itself. Read a line as "may, if they hold the role, or may already do the stronger thing".
    fn can(&self, action: Action, line: Option<&OrgLine>) -> bool {
        let holds = |role| self.holds(role, line);
        let can = |stronger| self.can(stronger, line);
        match action {
            Action::ManageMembers => holds(Role::Steward),
            Action::Correct => holds(Role::Editor),
            Action::Publish => can(Action::Correct),
            Action::Import => can(Action::Publish),
            Action::BringFiles => can(Action::Import) || can(Action::ManageMembers),
            Action::Hold | Action::IssueHolding => holds(Role::DutyOfficer) || can(Action::Publish),
            Action::WorkCase => can(Action::IssueHolding),
            Action::Coordinate => can(Action::ManageMembers),
            Action::TakeOn => can(Action::WorkCase) || can(Action::Coordinate),
            Action::SeeIntake => can(Action::WorkCase) || can(Action::ManageMembers),
            Action::ConfirmContribution => can(Action::Publish) || can(Action::ManageMembers),
            Action::Review => holds(Role::Reviewer),
            Action::Draft => holds(Role::Contributor) || can(Action::Review) || can(Action::WorkCase),
            Action::ReadFacts => holds(Role::Statistician) || can(Action::ManageMembers),
            Action::UseDesk => {
                can(Action::Draft) || can(Action::ReadFacts) || can(Action::ManageNodes) || can(Action::ReadAudit) || can(Action::ManageSecurity)
            }
            Action::ManageNodes => holds(Role::SystemAdmin),
            Action::ManageJobs => can(Action::ManageNodes),
            Action::ManageSecurity => holds(Role::SecurityAdmin),
            Action::SeeMembers => can(Action::ManageMembers) || can(Action::ManageSecurity),
            Action::ReadAudit => holds(Role::AuditAdmin),
        }
    }
}

/// Why roles cannot be combined in one account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} and {1:?} may not be held by one account: the three administrators are kept apart from each other and from content work")]
pub struct RoleConflict(pub Role, pub Role);

/// Checks that `new` may be added to an account that holds `held` (RULES §13: separate administrators).
pub fn check_combination(held: &[Role], new: Role) -> Result<(), RoleConflict> {
    match held.iter().find(|role| **role != new && (role.is_admin() || new.is_admin())) {
        Some(role) => Err(RoleConflict(*role, new)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Role) -> Actor {
        Actor::Person { account: "a".into(), name: "甲".into(), memberships: vec![Membership { org: "410000".into(), role }] }
    }
    fn line(ids: &[&str]) -> OrgLine {
        OrgLine(ids.iter().map(|id| OrgId::from(*id)).collect())
    }

    #[test]
    fn an_editor_of_a_province_publishes_in_its_counties_and_not_elsewhere() {
        let editor = person(Role::Editor);
        assert!(editor.may(Action::Publish, Some(&line(&["411525", "411500", "410000", "000000"]))).is_ok());
        assert!(editor.may(Action::Publish, Some(&line(&["420000", "000000"]))).is_err());
        assert!(editor.may(Action::Draft, Some(&line(&["410000"]))).is_ok());
        assert_eq!(editor.may(Action::ReadAudit, None), Err(Denied::NoRole { action: Action::ReadAudit }));
    }

    #[test]
    fn rights_have_their_roots_where_the_roles_are_held() {
        let editor = person(Role::Editor);
        assert_eq!(editor.roots(Action::Draft), Some(vec!["410000".into()]));
        assert_eq!(editor.roots(Action::Review), Some(vec![]));
        assert_eq!(Actor::Visitor.roots(Action::Draft), Some(vec![]));
        assert_eq!(Actor::Node { name: "operator".into() }.roots(Action::Draft), None);
    }

    #[test]
    fn administrators_are_kept_apart() {
        assert!(check_combination(&[Role::SystemAdmin], Role::AuditAdmin).is_err());
        assert!(check_combination(&[Role::Editor], Role::SecurityAdmin).is_err());
        assert!(check_combination(&[Role::Editor], Role::Steward).is_ok());
        assert!(person(Role::SystemAdmin).may(Action::Publish, None).is_err());
        assert!(person(Role::AuditAdmin).may(Action::ManageJobs, None).is_err());
    }

    #[test]
    fn a_visitor_may_nothing_beyond_the_public_pages() {
        for action in [Action::UseDesk, Action::Draft, Action::ReadAudit] {
            assert_eq!(Actor::Visitor.may(action, None), Err(Denied::NotSignedIn));
        }
    }

    #[test]
    fn a_steward_cares_for_plain_accounts_of_the_own_house_only() {
        let (here, there) = (line(&["411525", "410000"]), line(&["420000"]));
        let held = |list: &[(Role, &OrgLine)]| list.iter().map(|(role, at)| (*role, (*at).clone())).collect::<Vec<_>>();
        let steward = person(Role::Steward);
        assert!(steward.may_care_for(&held(&[(Role::Contributor, &here), (Role::DutyOfficer, &here)])).is_ok());
        assert!(steward.may_care_for(&held(&[(Role::Reviewer, &here)])).is_err());
        assert!(steward.may_care_for(&held(&[(Role::Contributor, &here), (Role::Contributor, &there)])).is_err());
        assert!(steward.may_care_for(&[]).is_err());
        assert!(person(Role::SecurityAdmin).may_care_for(&held(&[(Role::Editor, &there)])).is_ok());
        assert_eq!(Actor::Visitor.may_care_for(&[]), Err(Denied::NotSignedIn));
    }

    #[test]
    fn every_role_reads_back() {
        for role in ROLES {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
    }
}
