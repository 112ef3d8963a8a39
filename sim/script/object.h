/* What a script holds of the world: objects with fields and methods. A name that an
 * object has not got is an error that says which may be meant. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_SCRIPT_OBJECT_H
#define SIM_SCRIPT_OBJECT_H

#include "sim/script/state.h"

struct script_class {
    const char *name;        /* "member" */
    const luaL_Reg *methods; /* Ends with a NULL name. */
    const char *const *fields;
    size_t field_count;
    void (*get)(lua_State *lua, const void *object, size_t field);   /* Push one field. */
    void (*get_slot)(lua_State *lua, const void *object, int index); /* object[i]; NULL: an error. */
    void (*print)(const void *object, char out[64]);                 /* tostring(). */
    lua_Integer (*count)(lua_State *lua, const void *object);        /* #object; NULL: an error. */
};

void script_class_open(lua_State *lua, const struct script_class *class);
/* Add a method that is the Lua function on top of the stack; pops it. */
void script_class_add(lua_State *lua, const struct script_class *class, const char *name);
/* A new object of `size` bytes on top of the stack, zeroed. */
void *script_object_new(lua_State *lua, const struct script_class *class, size_t size);
/* The object at `index`, or NULL when it is something else. */
void *script_object_at(lua_State *lua, int index, const struct script_class *class);
/* Argument 1 of a method; an error when it is something else. */
void *script_object_self(lua_State *lua, const struct script_class *class, const char *method);
/* Push the method of a class; false: there is none. */
bool script_class_method(lua_State *lua, const struct script_class *class, const char *name);
_Noreturn void script_class_refuse(lua_State *lua, const struct script_class *class, const char *name);

/* Members, clients and leases begin with their number and are keys in an order. */
struct script_numbered {
    uint64_t number;
};
/* The rank of the class of the object at `index` and its number; false: no order. */
bool script_object_order(lua_State *lua, int index, int *rank, uint64_t *number);

extern const struct script_class script_cluster_class;
extern const struct script_class script_member_class;
extern const struct script_class script_client_class;
extern const struct script_class script_lease_class;
extern const struct script_class script_watch_class;
extern const struct script_class script_load_class;
extern const struct script_class script_handle_class;
extern const struct script_class script_backup_class;
extern const struct script_class script_discovery_class;

#endif
