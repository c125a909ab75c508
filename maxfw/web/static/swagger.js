// The Swagger UI that comes with flask-restx, without its inline script, working below any prefix of a proxy.
const here = new URL("./", location.href);
fetch(new URL("swagger.json", here)).then((response) => response.json()).then((spec) => {
  spec.basePath = here.pathname.replace(/\/$/, "") || "/";
  document.title = spec.info.title;
  document.getElementById("name").textContent = spec.info.title;
  window.SwaggerUIBundle({ spec, dom_id: "#swagger-ui", docExpansion: "list", validatorUrl: null });
});
