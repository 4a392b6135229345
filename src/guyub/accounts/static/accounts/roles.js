// The account form: shows the agency or the area only for the roles that have one.
(() => {
  const form = document.querySelector("[data-roles]");
  if (!form) return;
  const role = form.querySelector("[name=role]");
  const settle = () => {
    for (const part of form.querySelectorAll("[data-for-roles]")) part.hidden = !part.dataset.forRoles.split(" ").includes(role.value);
  };
  role.addEventListener("change", settle);
  settle();
})();
