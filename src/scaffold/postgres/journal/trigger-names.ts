/**
 * The names of Rocket's triggers. PostgreSQL fires triggers in the order of their names, and a change has to be noted before
 * other triggers write more. That of a table's rows has its number behind it.
 */
export const rowTrigger = "!rocket row";
/** Of TRUNCATE, which each partition can have done to it alone. */
export const truncateTrigger = "!rocket truncate";
