import { notebookModule } from "../lib/host.ts";
import { mount } from "./view.ts";

export default notebookModule(mount);
