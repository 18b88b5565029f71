# Crossed random effects by lme4, for judging with a common spread. Writes judging_scores.csv, judging_effects.csv, judging_variances.csv.
# Rscript judging.R; versions in README.
library(lme4)
set.seed(20260301)

draw <- function(case, applications, judges, each, sd_application, sd_judge, sd_error, fields = 1) {
  quality <- rnorm(applications, 0, sd_application)
  harshness <- rnorm(judges, 0, sd_judge)
  rows <- do.call(rbind, lapply(seq_len(applications), function(a) {
    own <- which((seq_len(judges) - 1) %% fields == (a - 1) %% fields)
    n <- min(length(own), sample(each, 1))
    data.frame(application = a - 1, judge = own[sample.int(length(own), n)] - 1)
  }))
  y <- 60 + quality[rows$application + 1] - harshness[rows$judge + 1] + rnorm(nrow(rows), 0, sd_error)
  rows$value <- pmin(100, pmax(0, round(y, 1)))
  cbind(case = case, rows)
}

cases <- list(
  draw("plain", 60, 12, 2:5, 8, 7, 5),
  draw("no_harshness", 40, 8, 3, 8, 0, 6),
  draw("no_quality", 30, 10, 4, 0, 6, 6),
  draw("groups", 60, 12, 2:4, 8, 7, 5, fields = 3),
  draw("more_judges", 8, 40, 12:25, 6, 6, 6))

effects <- NULL; variances <- NULL
tight <- lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-14, ftol_abs = 1e-14, xtol_rel = 1e-12, ftol_rel = 1e-14, maxeval = 5000),
                     check.conv.singular = "ignore", calc.derivs = FALSE)
for (d in cases) {
  case <- d$case[1]
  f <- lmer(value ~ 1 + (1 | application) + (1 | judge), d, REML = TRUE, control = tight)
  v <- as.data.frame(VarCorr(f)); s2 <- sigma(f)^2
  va <- v$vcov[v$grp == "application"]; vj <- v$vcov[v$grp == "judge"]
  mean <- unname(fixef(f))
  # Prediction error of mean + application effect from the mixed model equations of Henderson, in the form that holds for variances of 0.
  A <- model.matrix(~ 0 + factor(application), d) * sqrt(va / s2); J <- model.matrix(~ 0 + factor(judge), d) * sqrt(vj / s2)
  Z <- cbind(1, A, J); C <- s2 * solve(crossprod(Z) + diag(c(0, rep(1, ncol(Z) - 1))))
  se <- sapply(seq_len(ncol(A)), function(i) { k <- c(1, rep(0, ncol(Z) - 1)); k[1 + i] <- sqrt(va / s2); sqrt(drop(k %*% C %*% k)) })
  r <- ranef(f)
  effects <- rbind(effects,
    data.frame(case, side = "application", index = as.integer(rownames(r$application)), effect = r$application[, 1], std_error = se),
    data.frame(case, side = "judge", index = as.integer(rownames(r$judge)), effect = r$judge[, 1], std_error = NA))
  variances <- rbind(variances, data.frame(case, mean, application = va, judge = vj, residual = s2))
}
out <- function(d, name) { n <- sapply(d, is.numeric); d[n] <- lapply(d[n], function(x) signif(x, 12)); write.csv(d, name, row.names = FALSE, quote = FALSE, na = "") }
out(do.call(rbind, cases), "judging_scores.csv"); out(effects, "judging_effects.csv"); out(variances, "judging_variances.csv")
