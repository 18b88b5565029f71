//! The embedded migrations: one statement per file, one directory for both engines. Running them is in `db`.
//!
//! `sqlx::migrate!` would do the same, but its macro crate compiles SQLite a second time for the build machine.

use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name and text of every migration, in order. Only ever added to.
const FILES: &[(i64, &str, &str)] = &[
    (1, "meta", include_str!("../migrations/0001_meta.sql")),
    (2, "counter", include_str!("../migrations/0002_counter.sql")),
    (3, "signer", include_str!("../migrations/0003_signer.sql")),
    (4, "record", include_str!("../migrations/0004_record.sql")),
    (5, "record_arrival", include_str!("../migrations/0005_record_arrival.sql")),
    (6, "record_subject", include_str!("../migrations/0006_record_subject.sql")),
    (7, "record_doc_hash", include_str!("../migrations/0007_record_doc_hash.sql")),
    (8, "record_refused", include_str!("../migrations/0008_record_refused.sql")),
    (9, "stream_head", include_str!("../migrations/0009_stream_head.sql")),
    (10, "fork", include_str!("../migrations/0010_fork.sql")),
    (11, "subject", include_str!("../migrations/0011_subject.sql")),
    (12, "subject_newest", include_str!("../migrations/0012_subject_newest.sql")),
    (13, "subject_kind_newest", include_str!("../migrations/0013_subject_kind_newest.sql")),
    (14, "subject_title", include_str!("../migrations/0014_subject_title.sql")),
    (15, "subject_seq", include_str!("../migrations/0015_subject_seq.sql")),
    (16, "subject_corrected", include_str!("../migrations/0016_subject_corrected.sql")),
    (17, "subject_withdrawn", include_str!("../migrations/0017_subject_withdrawn.sql")),
    (18, "log", include_str!("../migrations/0018_log.sql")),
    (19, "log_who", include_str!("../migrations/0019_log_who.sql")),
    (20, "log_object", include_str!("../migrations/0020_log_object.sql")),
    (21, "job", include_str!("../migrations/0021_job.sql")),
    (22, "job_due", include_str!("../migrations/0022_job_due.sql")),
    (23, "job_newest", include_str!("../migrations/0023_job_newest.sql")),
    (24, "org", include_str!("../migrations/0024_org.sql")),
    (25, "org_parent", include_str!("../migrations/0025_org_parent.sql")),
    (26, "org_kind", include_str!("../migrations/0026_org_kind.sql")),
    (27, "account", include_str!("../migrations/0027_account.sql")),
    (28, "member", include_str!("../migrations/0028_member.sql")),
    (29, "member_account", include_str!("../migrations/0029_member_account.sql")),
    (30, "session", include_str!("../migrations/0030_session.sql")),
    (31, "session_account", include_str!("../migrations/0031_session_account.sql")),
    (32, "session_expires", include_str!("../migrations/0032_session_expires.sql")),
    (33, "login_lock", include_str!("../migrations/0033_login_lock.sql")),
    (34, "peer", include_str!("../migrations/0034_peer.sql")),
    (35, "invite", include_str!("../migrations/0035_invite.sql")),
    (36, "once", include_str!("../migrations/0036_once.sql")),
    (37, "once_at", include_str!("../migrations/0037_once_at.sql")),
    (38, "media", include_str!("../migrations/0038_media.sql")),
    (39, "media_newest", include_str!("../migrations/0039_media_newest.sql")),
    (40, "question", include_str!("../migrations/0040_question.sql")),
    (41, "question_case", include_str!("../migrations/0041_question_case.sql")),
    (42, "question_newest", include_str!("../migrations/0042_question_newest.sql")),
    (43, "case_file", include_str!("../migrations/0043_case_file.sql")),
    (44, "case_file_stage", include_str!("../migrations/0044_case_file_stage.sql")),
    (45, "case_file_newest", include_str!("../migrations/0045_case_file_newest.sql")),
    (46, "case_file_subject", include_str!("../migrations/0046_case_file_subject.sql")),
    (47, "case_step", include_str!("../migrations/0047_case_step.sql")),
    (48, "party", include_str!("../migrations/0048_party.sql")),
    (49, "party_org", include_str!("../migrations/0049_party_org.sql")),
    (50, "draft", include_str!("../migrations/0050_draft.sql")),
    (51, "draft_owner", include_str!("../migrations/0051_draft_owner.sql")),
    (52, "draft_org", include_str!("../migrations/0052_draft_org.sql")),
    (53, "draft_stage", include_str!("../migrations/0053_draft_stage.sql")),
    (54, "draft_subject", include_str!("../migrations/0054_draft_subject.sql")),
    (55, "review", include_str!("../migrations/0055_review.sql")),
    (56, "review_draft", include_str!("../migrations/0056_review_draft.sql")),
    (57, "review_reviewer", include_str!("../migrations/0057_review_reviewer.sql")),
    (58, "review_assigned", include_str!("../migrations/0058_review_assigned.sql")),
    (60, "subject_expires", include_str!("../migrations/0060_subject_expires.sql")),
    (65, "log_action", include_str!("../migrations/0065_log_action.sql")),
    (66, "log_at", include_str!("../migrations/0066_log_at.sql")),
    (70, "import_run", include_str!("../migrations/0070_import_run.sql")),
    (71, "import_run_newest", include_str!("../migrations/0071_import_run_newest.sql")),
    (72, "import_line", include_str!("../migrations/0072_import_line.sql")),
    (73, "job_cancelled", include_str!("../migrations/0073_job_cancelled.sql")),
    (75, "skip", include_str!("../migrations/0075_skip.sql")),
    (76, "skip_arrival", include_str!("../migrations/0076_skip_arrival.sql")),
    (77, "media_use", include_str!("../migrations/0077_media_use.sql")),
    (78, "media_try", include_str!("../migrations/0078_media_try.sql")),
    (79, "head_check", include_str!("../migrations/0079_head_check.sql")),
    (80, "party_drop", include_str!("../migrations/0080_party_drop.sql")),
    (81, "party", include_str!("../migrations/0081_party.sql")),
    (82, "party_org", include_str!("../migrations/0082_party_org.sql")),
    (83, "party_name", include_str!("../migrations/0083_party_name.sql")),
    (84, "party_changed", include_str!("../migrations/0084_party_changed.sql")),
    (85, "party_history", include_str!("../migrations/0085_party_history.sql")),
    (86, "round", include_str!("../migrations/0086_round.sql")),
    (87, "round_stage", include_str!("../migrations/0087_round_stage.sql")),
    (88, "application", include_str!("../migrations/0088_application.sql")),
    (89, "application_round", include_str!("../migrations/0089_application_round.sql")),
    (90, "application_party", include_str!("../migrations/0090_application_party.sql")),
    (91, "judgement", include_str!("../migrations/0091_judgement.sql")),
    (92, "judgement_round", include_str!("../migrations/0092_judgement_round.sql")),
    (93, "judgement_judge", include_str!("../migrations/0093_judgement_judge.sql")),
    (94, "objection", include_str!("../migrations/0094_objection.sql")),
    (95, "objection_round", include_str!("../migrations/0095_objection_round.sql")),
    (96, "contribution", include_str!("../migrations/0096_contribution.sql")),
    (97, "contribution_deed", include_str!("../migrations/0097_contribution_deed.sql")),
    (98, "contribution_party", include_str!("../migrations/0098_contribution_party.sql")),
    (99, "contribution_host", include_str!("../migrations/0099_contribution_host.sql")),
    (130, "objection_answered_by", include_str!("../migrations/0130_objection_answered_by.sql")),
    (131, "application_stage", include_str!("../migrations/0131_application_stage.sql")),
    (132, "application_owner", include_str!("../migrations/0132_application_owner.sql")),
    (133, "application_owner_index", include_str!("../migrations/0133_application_owner_index.sql")),
    (140, "contribution_units", include_str!("../migrations/0140_contribution_units.sql")),
    (141, "contribution_minutes", include_str!("../migrations/0141_contribution_minutes.sql")),
    (142, "credential", include_str!("../migrations/0142_credential.sql")),
    (143, "credential_subject", include_str!("../migrations/0143_credential_subject.sql")),
    (144, "credential_party", include_str!("../migrations/0144_credential_party.sql")),
    (145, "credential_org", include_str!("../migrations/0145_credential_org.sql")),
    (150, "proof", include_str!("../migrations/0150_proof.sql")),
    (151, "proof_hash", include_str!("../migrations/0151_proof_hash.sql")),
    (200, "public_change", include_str!("../migrations/0200_public_change.sql")),
    (201, "public_change_at", include_str!("../migrations/0201_public_change_at.sql")),
    (202, "public_change_begin", include_str!("../migrations/0202_public_change_begin.sql")),
    (203, "pack", include_str!("../migrations/0203_pack.sql")),
    (204, "pack_wish", include_str!("../migrations/0204_pack_wish.sql")),
    (205, "pack_month", include_str!("../migrations/0205_pack_month.sql")),
    (206, "pack_receipt", include_str!("../migrations/0206_pack_receipt.sql")),
    (300, "sighting", include_str!("../migrations/0300_sighting.sql")),
    (301, "subject_same_as", include_str!("../migrations/0301_subject_same_as.sql")),
    (302, "wording", include_str!("../migrations/0302_wording.sql")),
    (303, "claim_merge", include_str!("../migrations/0303_claim_merge.sql")),
    (304, "claim_merge_claim", include_str!("../migrations/0304_claim_merge_claim.sql")),
    (305, "usefulness", include_str!("../migrations/0305_usefulness.sql")),
    (306, "ticket_spent", include_str!("../migrations/0306_ticket_spent.sql")),
    (307, "placement", include_str!("../migrations/0307_placement.sql")),
    (330, "inlet", include_str!("../migrations/0330_inlet.sql")),
    (331, "inlet_due", include_str!("../migrations/0331_inlet_due.sql")),
    (332, "inlet_seen", include_str!("../migrations/0332_inlet_seen.sql")),
    (333, "inlet_seen_at", include_str!("../migrations/0333_inlet_seen_at.sql")),
    (334, "signal", include_str!("../migrations/0334_signal.sql")),
    (336, "signal_topic", include_str!("../migrations/0336_signal_topic.sql")),
    (337, "signal_got", include_str!("../migrations/0337_signal_got.sql")),
    (338, "inlet_hour", include_str!("../migrations/0338_inlet_hour.sql")),
    (339, "topic", include_str!("../migrations/0339_topic.sql")),
    (340, "topic_phase", include_str!("../migrations/0340_topic_phase.sql")),
    (341, "topic_last", include_str!("../migrations/0341_topic_last.sql")),
    (342, "topic_hour", include_str!("../migrations/0342_topic_hour.sql")),
    (343, "topic_hour_hour", include_str!("../migrations/0343_topic_hour_hour.sql")),
    (450, "review_checks", include_str!("../migrations/0450_review_checks.sql")),
    (451, "review_batch", include_str!("../migrations/0451_review_batch.sql")),
    (452, "draft_excuses", include_str!("../migrations/0452_draft_excuses.sql")),
    (453, "review_run", include_str!("../migrations/0453_review_run.sql")),
    (454, "review_run_at", include_str!("../migrations/0454_review_run_at.sql")),
    (455, "review_interest", include_str!("../migrations/0455_review_interest.sql")),
    (456, "review_comment", include_str!("../migrations/0456_review_comment.sql")),
    (457, "review_comment_draft", include_str!("../migrations/0457_review_comment_draft.sql")),
    (458, "recheck", include_str!("../migrations/0458_recheck.sql")),
    (459, "review_batch_tasks", include_str!("../migrations/0459_review_batch_tasks.sql")),
    (480, "subject_held", include_str!("../migrations/0480_subject_held.sql")),
    (481, "recall_receipt", include_str!("../migrations/0481_recall_receipt.sql")),
    (482, "report", include_str!("../migrations/0482_report.sql")),
    (483, "report_subject", include_str!("../migrations/0483_report_subject.sql")),
];

/// The migrations as sqlx wants them.
pub(crate) fn migrator() -> Migrator {
    let one = |(version, name, text): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(*text), false)
    };
    Migrator::with_migrations(FILES.iter().map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_directory_is_embedded_and_holds_one_statement() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut names: Vec<String> =
            std::fs::read_dir(directory).expect("migrations").map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        let listed: Vec<String> = FILES.iter().map(|(number, name, _)| format!("{number:04}_{name}.sql")).collect();
        assert_eq!(names, listed);
        for (_, name, text) in FILES {
            assert_eq!(text.matches(';').count(), 1, "{name}: one statement per file, and no semicolon in its comment");
        }
    }
}
