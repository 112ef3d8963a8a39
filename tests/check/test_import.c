/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check/import.h"

#include <criterion/criterion.h>

static bool import(const char *bytes, enum check_model model, struct check_text *text,
                   struct check_recording *recording, struct check_revisions *revised)
{
    *text = (struct check_text){.bytes = bytes, .size = strlen(bytes)};
    *revised = (struct check_revisions){0};
    check_recording_init(recording);
    return check_import(text, model, recording, revised);
}

static enum check_linear_verdict judge(const char *bytes, enum check_model model)
{
    struct check_text text;
    struct check_recording recording;
    struct check_revisions revised;
    cr_assert(import(bytes, model, &text, &recording, &revised), "%s", text.error);
    enum check_linear_verdict verdict = check_linear(&recording).verdict;
    check_recording_release(&recording);
    return verdict;
}

Test(check_import, log_lines)
{
    cr_assert_eq(judge("INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
                       "INFO  jepsen.core - Worker 1 starting\n"
                       "INFO  jepsen.util - 1\t:invoke\t:write\t3\n"
                       "INFO  jepsen.util - 0\t:ok\t:read\tnil\n"
                       "INFO  jepsen.util - 1\t:ok\t:write\t3\n"
                       "INFO  jepsen.util - 1\t:invoke\t:cas\t[3 4]\n"
                       "INFO  jepsen.util - 1\t:ok\t:cas\t[3 4]\n"
                       "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n"
                       "INFO  jepsen.util - 0\t:ok\t:read\t4\n",
                       CHECK_MODEL_CAS_REGISTER),
                 CHECK_LINEARIZABLE);
}

Test(check_import, refused_cas_found_something_else)
{
    cr_assert_eq(judge("INFO  jepsen.util - 1\t:invoke\t:write\t3\n"
                       "INFO  jepsen.util - 1\t:ok\t:write\t3\n"
                       "INFO  jepsen.util - 1\t:invoke\t:cas\t[3 4]\n"
                       "INFO  jepsen.util - 1\t:fail\t:cas\t[3 4]\n",
                       CHECK_MODEL_CAS_REGISTER),
                 CHECK_NOT_LINEARIZABLE);
}

Test(check_import, info_leaves_the_outcome_open)
{
    cr_assert_eq(judge("INFO  jepsen.util - 1\t:invoke\t:write\t3\n"
                       "INFO  jepsen.util - 1\t:info\t:write\t:timed-out\n"
                       "INFO  jepsen.util - 2\t:invoke\t:read\tnil\n"
                       "INFO  jepsen.util - 2\t:ok\t:read\t3\n",
                       CHECK_MODEL_CAS_REGISTER),
                 CHECK_LINEARIZABLE);
}

Test(check_import, maps_of_edn)
{
    cr_assert_eq(judge("{:process 0, :type :invoke, :f :append, :key \"a\", :value \"x\"}\n"
                       "{:process 0, :type :ok, :f :append, :key \"a\", :value \"x\"}\n"
                       "{:process 1, :type :invoke, :f :get, :key \"a\", :value nil}\n"
                       "{:process 1, :type :ok, :f :get, :key \"a\", :value \"\"}\n",
                       CHECK_MODEL_KV),
                 CHECK_NOT_LINEARIZABLE);
}

Test(check_import, maps_of_json)
{
    cr_assert_eq(judge("[{\"process\":0,\"type\":\"invoke\",\"f\":\"put\",\"key\":\"a\",\"value\":1,\"time\":"
                       "{\"s\":1}},\n"
                       "{\"process\":0,\"type\":\"ok\",\"f\":\"put\",\"key\":\"a\",\"value\":1},\n"
                       "{\"process\":1,\"type\":\"invoke\",\"f\":\"get\",\"key\":\"a\",\"value\":null},\n"
                       "{\"process\":1,\"type\":\"ok\",\"f\":\"get\",\"key\":\"a\",\"value\":1}]\n",
                       CHECK_MODEL_KV),
                 CHECK_LINEARIZABLE);
}

static void refused(const char *bytes, uint32_t line, const char *error)
{
    struct check_text text;
    struct check_recording recording;
    struct check_revisions revised;
    cr_assert_not(import(bytes, CHECK_MODEL_KV, &text, &recording, &revised));
    cr_assert_eq(text.line, line, "line %u: %s", text.line, text.error);
    cr_assert_str_eq(text.error, error);
    check_recording_release(&recording);
    check_revisions_release(&revised);
}

Test(check_import, says_where_and_what)
{
    refused("{:process 0 :type :invoke :f :get :key 1}\n\nhello\n", 3,
            "found \"hello\", expected a map or a line of a log");
    refused("{:process 0 :type :begin}\n", 1, "found \"begin\", expected invoke, ok, fail or info");
    refused("{:process 0 :type :invoke :f :jump}\n", 1,
            "found \"jump\", expected read, get, write, put, cas or append");
    refused("{:process 0 :type :ok :f :get}\n", 1,
            "found \"ok\", expected an invoke of this process before it");
    refused("{:process 0 :type :invoke :f :get\n", 2, "found \"the end\", expected a value");
    refused("{\"process\" 0}\n", 1, "found \"0}\", expected a colon");
}

/* Whatever the bytes are, they are read or refused. */
Test(check_import, any_prefix_is_read_or_refused)
{
    static const char whole[] =
        "[{\"process\":0,\"type\":\"invoke\",\"f\":\"cas\",\"key\":\"a\\\"\",\"value\":[1,2]},\n"
        "INFO x - 1 :invoke :read nil\n{:process 2 :type :info :f :read :value {:a (1 2)}}]";
    for (size_t size = 0; size < sizeof whole; size++) {
        char *copy = malloc(size + 1);
        memcpy(copy, whole, size);
        copy[size] = '\0';
        struct check_text text = {.bytes = copy, .size = size};
        struct check_recording recording;
        struct check_revisions revised = {0};
        check_recording_init(&recording);
        (void)check_import(&text, CHECK_MODEL_CAS_REGISTER, &recording, &revised);
        check_recording_release(&recording);
        free(copy);
    }
}

static enum check_revised_fault revise(const char *bytes)
{
    struct check_text text;
    struct check_recording recording;
    struct check_revisions revised;
    cr_assert(import(bytes, CHECK_MODEL_ETCD, &text, &recording, &revised), "%s", text.error);
    enum check_revised_fault fault = check_revisions_judge(&revised).fault;
    check_recording_release(&recording);
    check_revisions_release(&revised);
    return fault;
}

#define PUT(process, value, revision)                                                                        \
    "{:process " process " :type :invoke :f :put :key :k :value " value "}\n"                                \
    "{:process " process " :type :ok :f :put :revision " revision "}\n"
#define GET(process, value, revision, modified)                                                              \
    "{:process " process " :type :invoke :f :get :key :k}\n"                                                 \
    "{:process " process " :type :ok :f :get :value " value " :revision " revision                           \
    " :mod_revision " modified "}\n"

Test(check_revisions, in_order)
{
    cr_assert_eq(revise(GET("1", "nil", "1", "0") PUT("0", "1", "2") PUT("0", "2", "4")
                            GET("1", "2", "5", "4")),
                 CHECK_REVISED_FINE);
}

Test(check_revisions, stale_read)
{
    cr_assert_eq(revise(PUT("0", "1", "2") PUT("0", "2", "3") GET("1", "1", "2", "2")), CHECK_REVISED_OLD);
}

Test(check_revisions, wrong_content)
{
    cr_assert_eq(revise(PUT("0", "1", "2") PUT("0", "2", "3") GET("1", "1", "3", "3")),
                 CHECK_REVISED_CONTENT);
}

Test(check_revisions, one_revision_twice)
{
    cr_assert_eq(revise(PUT("0", "1", "2") PUT("1", "2", "2")), CHECK_REVISED_TWICE);
}

Test(check_revisions, open_write_is_seen_later)
{
    cr_assert_eq(revise("{:process 3 :type :invoke :f :put :key :k :value 9}\n" PUT("0", "1", "2")
                            GET("1", "9", "5", "4")),
                 CHECK_REVISED_FINE);
}

Test(check_revisions, open_write_is_not_seen_twice)
{
    cr_assert_eq(revise("{:process 3 :type :invoke :f :put :key :k :value 9}\n" PUT("0", "1", "2")
                            GET("1", "9", "3", "3") PUT("0", "2", "4") GET("1", "9", "5", "5")),
                 CHECK_REVISED_CONTENT);
}

Test(check_import, a_list_is_a_value)
{
    cr_assert_eq(judge("{:process 0 :type :invoke :f :put :key :k :value [1 2]}\n"
                       "{:process 0 :type :ok :f :put :key :k :value [1 2]}\n"
                       "{:process 0 :type :invoke :f :get :key :k}\n"
                       "{:process 0 :type :ok :f :get :key :k :value [1 3]}\n",
                       CHECK_MODEL_KV),
                 CHECK_NOT_LINEARIZABLE);
}

/* A log's event has its line to itself, and lines are counted through texts. */
Test(check_import, lines_are_counted)
{
    refused("INFO x - 0 :invoke :put [1\n2]\n", 1, "found \"the end\", expected a value");
    refused("{:process 0 :type :invoke :f :put :value \"a\\\n\"}\n\nhello\n", 4,
            "found \"hello\", expected a map or a line of a log");
    refused("{:process 0 :type :invoke\n :f :cas :key 1\n :value 2\n}\n", 1,
            "found \"cas\", expected a pair of values with it");
}
