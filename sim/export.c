/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/export.h"

#include "sim/inside.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct exporting {
    struct sim_machine *machine;
    const char *folder;
    const char *directory; /* On the simulated disk. */
    char *failed;          /* The first path that could not be written; "" none. */
    size_t failed_size;
};

static bool make_folder(const char *path)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static bool copy_file(struct sim_disk *disk, const char *name, FILE *out)
{
    disk_file file;
    uint64_t size = 0;
    if (sim_disk_open(disk, name, &file, &size) != DISK_OK) {
        return false;
    }
    bool is_good = true;
    for (uint64_t at = 0; at < size && is_good;) {
        unsigned char bytes[16384];
        size_t got = 0;
        is_good = sim_disk_read(disk, file, at, bytes, sizeof bytes, &got) == DISK_OK && got > 0 &&
                  fwrite(bytes, 1, got, out) == got;
        at += got;
    }
    sim_disk_close(disk, file);
    return is_good;
}

static void visit(void *visitor, const char *name)
{
    struct exporting *export = visitor;
    char path[1024];
    char inner[256];
    snprintf(path, sizeof path, "%s/m%u/%s/%s", export->folder, export->machine->number, export->directory,
             name);
    snprintf(inner, sizeof inner, "%s/%s", export->directory, name);
    FILE *out = fopen(path, "wb");
    bool is_good = out && copy_file(export->machine->disk, inner, out);
    if (out && fclose(out) != 0) {
        is_good = false;
    }
    if (!is_good && export->failed[0] == '\0') {
        snprintf(export->failed, export->failed_size, "%s", path);
    }
}

const char *sim_world_export(struct sim_world *world, const char *folder)
{
    static const char *const directories[] = {"wal", "snap"};
    world->text[0] = '\0';
    bool is_made = make_folder(folder);
    for (uint32_t number = 1; number <= world->member_count && is_made; number++) {
        struct exporting export = {.machine = world->machines[number],
                                   .folder = folder,
                                   .failed = world->text,
                                   .failed_size = sizeof world->text};
        char path[1024];
        snprintf(path, sizeof path, "%s/m%u", folder, number);
        is_made = make_folder(path);
        for (uint32_t i = 0; i < 2 && is_made; i++) {
            export.directory = directories[i];
            snprintf(path, sizeof path, "%s/m%u/%s", folder, number, directories[i]);
            is_made = make_folder(path);
            (void)sim_disk_list(world->machines[number]->disk, directories[i], visit, &export);
        }
    }
    if (!is_made) {
        snprintf(world->text, sizeof world->text, "%s", folder);
    }
    return world->text[0] == '\0' ? NULL : world->text;
}
