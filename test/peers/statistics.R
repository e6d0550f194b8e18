# statistics.R
#	  R computes the figures that the tests of statistics hold fixed.
#
#     Rscript test/peers/statistics.R FILE...          compares
#     Rscript test/peers/statistics.R --write FILE...  writes them instead, also where there is a ?
#
# A line of a FILE that ends in "-- R: call" holds a figure, near(sql, figure);
# the call is evaluated over the rows of sql/include/data.sql, which are made
# here by the same formulas.  One of a Markdown file that is "R `call` figures" holds them rounded; the call is
# evaluated over the lung trial of test/data.  What R has no function for is written down
# below from its definition.

p <- 1:330
measure <- data.frame(
	patient = p,
	sex = ifelse(p %% 3 == 0, "f", "m"),
	stage = ifelse(p %% 5 == 4, NA, p %% 5),
	smoker = c(NA, TRUE, FALSE, FALSE)[1 + p %% 4],
	i2 = ifelse(p %% 100 - 50 == -43, NA, p %% 100 - 50),
	i4 = ifelse(p * 7919 %% 20011 - 10000 == 7, NA, (p * 7919) %% 20011 - 10000),
	price = ifelse(p %% 8 == 0, NA, round((p * 37) %% 10007 / 100, 2)),
	ratio = ifelse(p %% 9 == 0, NA, p / (1 + p %% 11)),
	grade = factor(c("mild", "moderate", "severe", NA)[1 + p %% 4]),
	f4 = ifelse(p %% 5 == 0, NA, p %% 17 / 8),
	f8 = ifelse(p %% 4 == 0, NA, sin(p) * 1e3))

# Joanes and Gill, The Statistician, 1998; as e1071::skewness and kurtosis.
moment <- function(x, r) mean((x - mean(x))^r)
known <- function(x) x[!is.na(x)]
skewness <- function(x, type = 3)
{
	x <- known(x); n <- length(x); g1 <- moment(x, 3) / moment(x, 2)^1.5
	switch(type, g1, g1 * sqrt(n * (n - 1)) / (n - 2), g1 * ((n - 1) / n)^1.5)
}
kurtosis <- function(x, type = 3)
{
	x <- known(x); n <- length(x); g2 <- moment(x, 4) / moment(x, 2)^2 - 3
	switch(type, g2, ((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3)), (g2 + 3) * (1 - 1 / n)^2 - 3)
}
standard_error <- function(x) sd(known(x)) / sqrt(length(known(x)))

# Rows true first, so that cells are in the order 11, 10, 01, 00.
two <- function(a, b) table(factor(a, c(TRUE, FALSE)), factor(b, c(TRUE, FALSE)))

strata <- function(a, b, by) table(factor(a, c(TRUE, FALSE)), factor(b, c(TRUE, FALSE)), by)

# Woolf 1955 and Katz 1978: ratio, error of its logarithm, limits.
odds <- function(t, level = .95)
{
	ratio <- t[1, 1] * t[2, 2] / (t[1, 2] * t[2, 1]); error <- sqrt(sum(1 / t))
	c(ratio, error, exp(log(ratio) + c(-1, 1) * qnorm((1 + level) / 2) * error))
}
risk <- function(t, level = .95)
{
	n <- rowSums(t); ratio <- t[1, 1] / n[1] / (t[2, 1] / n[2])
	error <- sqrt(1 / t[1, 1] - 1 / n[1] + 1 / t[2, 1] - 1 / n[2])
	c(ratio, error, exp(log(ratio) + c(-1, 1) * qnorm((1 + level) / 2) * error))
}

# fisher.test stops its search at four digits (uniroot's default): here to the last.
exact_fisher <- function(...)
{
	search <- fisher.test
	environment(search) <- list2env(list(uniroot = function(f, interval) stats::uniroot(f, interval, tol = 1e-15)),
		parent = asNamespace("stats"))
	search(...)
}

# Of complete rows, by sums: what base R's tests take.
person_rate <- function(event, time, ...)
{
	ok <- !is.na(event) & !is.na(time)
	poisson.test(sum(event[ok]), sum(time[ok]), ...)
}
by_exposure <- function(exposed, event, time)
{
	ok <- !is.na(exposed) & !is.na(event) & !is.na(time)
	list(d = c(sum(event[ok & exposed]), sum(event[ok & !exposed])), t = c(sum(time[ok & exposed]), sum(time[ok & !exposed])))
}
person_rates <- function(exposed, event, time) with(by_exposure(exposed, event, time), poisson.test(d, t))
rate_difference <- function(exposed, event, time) with(by_exposure(exposed, event, time),
{
	difference <- d[1] / t[1] - d[2] / t[2]; error <- sqrt(sum(d / t^2))
	c(difference, difference - qnorm(.975) * error, 2 * pnorm(-abs(difference / error)))
})

# Fay and Feuer 1997, as epitools::ageadjust.direct; strata from 0.
adjusted <- function(event, time, stratum, standard)
{
	ok <- !is.na(event) & !is.na(time) & !is.na(stratum); standard <- standard / sum(standard)
	d <- tapply(event[ok], stratum[ok], sum); t <- tapply(time[ok], stratum[ok], sum)
	rate <- sum(standard * d / t); v <- sum(standard^2 * d / t^2); most <- max(standard / t)
	c(rate, sum(d) / sum(t), sqrt(v), qgamma(.025, rate^2 / v, scale = v / rate),
		qgamma(.975, (rate + most)^2 / (v + most^2), scale = (v + most^2) / (rate + most)))
}
standard_mortality <- function(event, time, stratum, rates)
{
	ok <- !is.na(event) & !is.na(time) & !is.na(stratum)
	poisson.test(sum(event[ok]), sum((time * rates[stratum + 1])[ok]))
}
exact_share <- function(x) binom.test(sum(x), length(x))$conf.int

# DeLong, DeLong and Clarke-Pearson 1988 from all pairs, as pROC; Hanley and McNeil 1982.
roc_area <- function(diseased, score)
{
	ok <- !is.na(diseased) & !is.na(score); x <- score[ok & diseased]; y <- score[ok & !diseased]
	won <- outer(x, y, ">") + outer(x, y, "==") / 2; a <- mean(won); q1 <- a / (2 - a); q2 <- 2 * a^2 / (1 + a)
	m <- length(x); n <- length(y)
	c(a, sqrt(var(rowMeans(won)) / m + var(colMeans(won)) / n),
		sqrt((a * (1 - a) + (m - 1) * (q1 - a^2) + (n - 1) * (q2 - a^2)) / (m * n)))
}

# Inverse probability weights of smoking, given f4 and sex; HC0 is White's (1980), as sandwich::vcovHC.
weighted <- function(estimand = "ATE")
{
	with(measure, {
		used <- !is.na(smoker) & !is.na(f4); e <- rep(NA, length(p)); e[used] <- fitted(glm(smoker ~ f4 + sex, binomial))
		w <- if (estimand == "ATE") ifelse(smoker, 1 / e, 1 / (1 - e)) else ifelse(smoker, 1, e / (1 - e))
		data.frame(measure, w)
	})
}
balance <- function(term, estimand = "ATE")
{
	rows <- subset(weighted(estimand), !is.na(w)); x <- if (term == "sex") as.numeric(rows$sex == "m") else rows[[term]]
	t <- rows$smoker; s <- sqrt((var(x[t]) + var(x[!t])) / 2)
	m <- c(mean(x[t]), mean(x[!t]), weighted.mean(x[t], rows$w[t]), weighted.mean(x[!t], rows$w[!t]))
	c(m[1:2], (m[1] - m[2]) / s, m[3:4], (m[3] - m[4]) / s)
}
effect <- function()
{
	rows <- subset(weighted(), !is.na(w) & !is.na(i2)); model <- lm(i2 ~ smoker, rows, weights = w)
	x <- model.matrix(model); bread <- solve(crossprod(x * sqrt(rows$w)))
	c(coef(model)[2], sqrt((bread %*% crossprod(x * rows$w * residuals(model)) %*% bread)[2, 2]))
}

# Trials of BCG (Colditz et al. 1994; metadat's dat.bcg); DerSimonian and Laird 1986, and the root of the restricted score.
meta <- function(method)
{
	a <- c(4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27)
	b <- c(119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886)
	c <- c(11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29)
	d <- c(128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825)
	y <- log(a / (a + b) / (c / (c + d))); v <- 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
	weighted <- function(t) { w <- 1 / (v + t); m <- sum(w * y) / sum(w); c(mean = m, error = 1 / sqrt(sum(w)), q = sum(w * (y - m)^2), tau2 = t) }
	score <- function(t) { w <- 1 / (v + t); m <- sum(w * y) / sum(w); sum(w^2 * (y - m)^2) - (sum(w) - sum(w^2) / sum(w)) }
	w <- 1 / v
	weighted(switch(method, FE = 0, DL = (weighted(0)[["q"]] - 12) / (sum(w) - sum(w^2) / sum(w)),
		REML = uniroot(score, c(0, 10), tol = 1e-15)$root))
}

# The lung trial, for sql/survival.sql; without the package its figures are left out.
with_survival <- requireNamespace("survival", quietly = TRUE)
lung <- read.csv("test/data/lung.csv")
if (!with_survival)
	cat("R's package survival is not here: its figures are not looked at (r-cran-survival)\n")

# The study's: deaths within 180 days, of those who were followed so long.
lung <- read.csv("test/data/lung.csv")
early <- glm(time <= 180 ~ age + factor(sex) + ph_karno, binomial, subset(lung, time > 180 | status == 2))
in_study <- function(call, figures)
{
	decimals <- nchar(sub("^[^.]*[.]?", "", figures))
	sprintf("%.*f", decimals, as.numeric(unlist(eval(parse(text = call)))))
}

evaluate <- function(call)
{
	of_survival <- grepl("Surv(", call, fixed = TRUE)
	as.numeric(if (of_survival) eval(parse(text = call), list(lung = lung), asNamespace("survival"))
		else eval(parse(text = call), measure, globalenv()))
}

arguments <- commandArgs(trailingOnly = TRUE)
writes <- "--write" %in% arguments
good <- bad <- 0
for (file in setdiff(arguments, "--write"))
{
	lines <- readLines(file)
	for (i in grep("near\\(.*-- R: ", lines))
	{
		call <- sub(".*-- R: ", "", lines[i])
		if (!with_survival && grepl("Surv(", call, fixed = TRUE))
			next
		value <- suppressWarnings(evaluate(call))
		found <- regmatches(lines[i], regexec("^(.*near\\(.*, )([^,() ]+)(\\).*-- R: .*)$", lines[i]))[[1]]
		if (writes)
			lines[i] <- paste0(found[2], sprintf("%.16g", value), found[4])
		else if (isTRUE(abs(as.numeric(found[3]) / value - 1) < 1e-12) || isTRUE(as.numeric(found[3]) == value))
			good <- good + 1
		else
		{
			bad <- bad + 1
			cat(sprintf("%s:%d: %s is %.16g, not %s\n", file, i, call, value, found[3]))
		}
	}
	for (i in grep("^R `.*` ", lines))
	{
		if (grepl("survival::", lines[i]) && !requireNamespace("survival", quietly = TRUE))
			next
		call <- sub("^R `(.*)` .*$", "\\1", lines[i])
		figures <- strsplit(sub("^R `.*` ", "", lines[i]), " ")[[1]]
		value <- in_study(call, figures)
		if (writes)
			lines[i] <- paste0("R `", call, "` ", paste(value, collapse = " "))
		else if (identical(value, figures))
			good <- good + 1
		else
		{
			bad <- bad + 1
			cat(sprintf("%s:%d: %s is %s, not %s\n", file, i, call, paste(value, collapse = " "), paste(figures, collapse = " ")))
		}
	}
	if (writes)
		writeLines(lines, file)
}
if (!writes)
	cat(sprintf("%d passed, %d failed\n", good, bad))
quit(status = bad > 0)
