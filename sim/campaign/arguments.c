/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/campaign/arguments.h"

#include "sim/campaign/text.h"
#include "sim/nearest.h"

#include <string.h>

enum { NAMES_MAX = 64 };

static const struct campaign_argument *find(const struct campaign_arguments *arguments, const char *name,
                                            size_t size)
{
    for (uint32_t i = 0; i < arguments->known_count; i++) {
        const struct campaign_argument *known = &arguments->known[i];
        if (strlen(known->name) == size && strncmp(known->name, name, size) == 0) {
            return known;
        }
    }
    return NULL;
}

static void complain_unknown(const struct campaign_arguments *arguments, const char *name, FILE *complaints)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (; count < arguments->known_count && count < NAMES_MAX; count++) {
        names[count] = arguments->known[count].name;
    }
    const char *nearest = sim_nearest(name, names, count);
    if (nearest) {
        fprintf(complaints, "faultline %s: found the option %s, expected %s?\n", arguments->command, name,
                nearest);
    } else {
        fprintf(complaints, "faultline %s: found the option %s, expected one of those that faultline help %s lists\n",
                arguments->command, name, arguments->command);
    }
}

/* One option with its value, which stands behind '=' or is the next word. Answers
 * how many words it took, 0 after a complaint. */
static int read_option(struct campaign_arguments *arguments, int left, char *const *given, FILE *complaints)
{
    const char *word = given[0];
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    size_t size = equals ? (size_t)(equals - word) : strlen(word);
    const struct campaign_argument *known = find(arguments, word, size);
    if (!known) {
        complain_unknown(arguments, word, complaints);
        return 0;
    }
    const char *value = equals ? equals + 1 : NULL;
    int taken = 1;
    if (known->takes && !value && left > 1) {
        value = given[1];
        taken = 2;
    }
    if (!known->takes && value) {
        fprintf(complaints, "faultline %s: %s: found \"%s\", expected no value\n", arguments->command,
                known->name, value);
        return 0;
    }
    if (known->takes && !value) {
        fprintf(complaints, "faultline %s: %s: found nothing behind it, expected %s\n", arguments->command,
                known->name, known->takes);
        return 0;
    }
    if (!known->set(arguments->target, value)) {
        fprintf(complaints, "faultline %s: %s: found \"%s\", expected %s\n", arguments->command, known->name,
                value ? value : "", known->takes ? known->takes : "it once");
        return 0;
    }
    return taken;
}

bool campaign_arguments_read(struct campaign_arguments *arguments, int count, char *const *given,
                             FILE *complaints)
{
    bool is_over = false; /* "--" was seen. */
    for (int i = 0; i < count;) {
        const char *word = given[i];
        bool is_option = !is_over && word[0] == '-' && word[1] != '\0';
        if (is_option && strcmp(word, "--") == 0) {
            is_over = true;
            i++;
        } else if (is_option && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            arguments->wants_help = true;
            return true;
        } else if (is_option) {
            int taken = read_option(arguments, count - i, given + i, complaints);
            if (taken == 0) {
                return false;
            }
            i += taken;
        } else {
            arguments->words[arguments->word_count++] = word;
            i++;
        }
    }
    return true;
}

void campaign_arguments_help(const struct campaign_arguments *arguments, FILE *out)
{
    fprintf(out, "usage: faultline %s %s\n", arguments->command, arguments->usage);
    for (uint32_t i = 0; i < arguments->known_count; i++) {
        const struct campaign_argument *known = &arguments->known[i];
        char left[80];
        (void)snprintf(left, sizeof left, "%s %s", known->name, known->takes ? known->takes : "");
        fprintf(out, "  %-30s %s\n", left, known->help);
    }
}
