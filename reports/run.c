/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "reports/run.h"

#include "reports/text.h"
#include "sim/campaign/print.h"

#include <stdlib.h>

bool report_run_has_judge(const struct report_run *run)
{
    return run->failure && (run->failure->kind == CAMPAIGN_VIOLATED || run->failure->kind == CAMPAIGN_SHOWN);
}

const char *report_run_lead(const struct report_run *run)
{
    if (!run->failure) {
        return NULL;
    }
    if (report_run_has_judge(run)) {
        return check_info(run->failure->judge)->name;
    }
    return run->failure->kind == CAMPAIGN_WRONG ? "the script is wrong" : "not judged";
}

char *report_run_sentence(const struct report_run *run)
{
    return report_text_clean(run->failure ? run->failure->sentence : "");
}

char *report_run_replay(const struct report_run *run)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        abort();
    }
    campaign_print_replay(out, run->plan, run->scenario, run->seed);
    (void)fclose(out);
    char *clean = report_text_clean(text);
    free(text);
    return clean;
}
