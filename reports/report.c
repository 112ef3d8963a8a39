/* SPDX-License-Identifier: Apache-2.0 */
#include "reports/report.h"

/* Both are said once, to the build. */
const char *report_version(void)
{
    return FAULTLINE_VERSION;
}

const char *report_build(void)
{
    return FAULTLINE_BUILD;
}

static bool write_file(const char *path, void (*write)(const struct campaign *campaign, FILE *out),
                       const struct campaign *campaign)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        return false;
    }
    write(campaign, out);
    bool is_good = ferror(out) == 0;
    return fclose(out) == 0 && is_good;
}

const char *report_check(const struct report_files *files)
{
    const char *const all[] = {files->json, files->html, files->junit};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        FILE *file = all[i] ? fopen(all[i], "ab") : NULL; /* What stands there stays. */
        if (all[i] && (!file || fclose(file) != 0)) {
            return all[i];
        }
    }
    return NULL;
}

const char *report_write(const struct report_files *files, const struct campaign *campaign)
{
    if (files->tap) {
        report_tap(campaign, stdout);
    }
    if (files->json && !write_file(files->json, report_json, campaign)) {
        return files->json;
    }
    if (files->html && !write_file(files->html, report_html, campaign)) {
        return files->html;
    }
    if (files->junit && !write_file(files->junit, report_junit, campaign)) {
        return files->junit;
    }
    return NULL;
}
