/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/setup.h"

/* The end of a fault, and how such faults begin: methods of one thing. */
struct cure {
    const char *end;
    const char *begins[5];
    bool has_stages;
};

static const struct cure cures[] = {
    {":restart(", {":crash(", ":power_off(", ":stop("}, false},
    {":start(", {":crash(", ":power_off(", ":stop(", ":wipe("}, false},
    {":resume(", {":pause("}, false},
    {":heal(", {":cut(", ":partition(", ":isolate("}, false},
    {":network ", {":network "}, false},
    {":slow(1", {":slow("}, true},
};

/* Does the text begin with this method of the same thing as `like`? */
static bool is_method(const char *text, const char *like, const char *method)
{
    size_t length = strcspn(like, ":");
    return strncmp(text, like, length) == 0 && strncmp(text + length, method, strlen(method)) == 0;
}

/* The same stage of a processor, or the same nothing. */
static bool is_alike(const char *text, const char *like)
{
    const char *argument = strchr(text, ',');
    const char *other = strchr(like, ',');
    return strcmp(argument ? argument : ")", other ? other : ")") == 0;
}

/* Is what the act ends under way after these? */
static bool ends_something(const struct campaign_act *before, size_t count, const char *text,
                           const struct cure *cure)
{
    while (count-- > 0) {
        if (strcmp(before[count].text, text) == 0) {
            return false; /* Ended already. */
        }
        for (const char *const *begin = cure->begins; *begin; begin++) {
            bool is_of_stage = cure->has_stages && !is_alike(before[count].text, text);
            if (is_method(before[count].text, text, *begin) && !is_of_stage) {
                return true;
            }
        }
    }
    return false;
}

bool campaign_setup_is_needed(const struct campaign_act *before, size_t count, const struct campaign_act *act)
{
    bool is_needed = act->is_demand || act->is_setup;
    for (size_t i = 0; i < sizeof cures / sizeof cures[0]; i++) {
        bool is_cure = is_method(act->text, act->text, cures[i].end);
        is_needed = is_needed || (is_cure && ends_something(before, count, act->text, &cures[i]));
    }
    return is_needed;
}
