// The Swagger UI that comes with flask-restx, without its inline script, working below any prefix of a proxy.
import { HOME, json, keyHeader } from "./service.js";

const spec = await json("swagger.json");
spec.basePath = HOME.pathname.replace(/\/$/, "") || "/";
document.title = spec.info.title;
document.getElementById("name").textContent = spec.info.title;
window.SwaggerUIBundle({
  spec, dom_id: "#swagger-ui", docExpansion: "list", defaultModelsExpandDepth: 0, validatorUrl: null,
  requestInterceptor: (request) => { Object.assign(request.headers, keyHeader()); return request; },
});
