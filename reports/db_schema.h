/* The tables of a results file. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORTS_DB_SCHEMA_H
#define REPORTS_DB_SCHEMA_H

#define REPORT_DB_SCHEMA 2

/* A scenario is known by its file and name, a run by its scenario and seed. Times are
 * simulated nanoseconds. `armed` has a number for each judge, in the order of
 * `faultline list --checks`. */
static const char report_db_tables[] =
    "CREATE TABLE about(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE scenario(id INTEGER PRIMARY KEY, file TEXT, name TEXT, line INTEGER, seeds INTEGER,"
    " UNIQUE(file, name));"
    "CREATE TABLE word(scenario INTEGER, kind TEXT, place INTEGER, word TEXT,"
    " PRIMARY KEY(scenario, kind, place)) WITHOUT ROWID;"
    "CREATE TABLE expectation(scenario INTEGER, place INTEGER, stat TEXT, of TEXT, near REAL, within REAL,"
    " min REAL, max REAL, published INTEGER, parts TEXT, PRIMARY KEY(scenario, place)) WITHOUT ROWID;"
    "CREATE TABLE run(scenario INTEGER, seed INTEGER, verdict INTEGER, judge TEXT, time_ns INTEGER,"
    " machine INTEGER, sentence TEXT, digest TEXT, digest_again TEXT, events INTEGER, simulated_ns INTEGER,"
    " operator_actions INTEGER, messages INTEGER, bytes INTEGER, entries INTEGER, syncs INTEGER,"
    " lease_margin_ns INTEGER, armed TEXT, PRIMARY KEY(scenario, seed)) WITHOUT ROWID;"
    "CREATE TABLE metric(scenario INTEGER, seed INTEGER, place INTEGER, name TEXT, value REAL,"
    " PRIMARY KEY(scenario, seed, place)) WITHOUT ROWID;"
    "CREATE TABLE sometimes(scenario INTEGER, seed INTEGER, place INTEGER, name TEXT, was_true INTEGER,"
    " PRIMARY KEY(scenario, seed, place)) WITHOUT ROWID;"
    "CREATE TABLE event(scenario INTEGER, seed INTEGER, place INTEGER, time_ns INTEGER, number INTEGER,"
    " machine INTEGER, member TEXT, text TEXT, PRIMARY KEY(scenario, seed, place)) WITHOUT ROWID;";

#endif
