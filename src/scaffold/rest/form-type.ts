/** The type of a form's body. */
export const formType = "application/x-www-form-urlencoded";
