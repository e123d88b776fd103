import { notebookModule } from "../lib/host.ts";
import { READER_NAMES } from "./state.ts";
import { mount } from "./view.ts";

export default notebookModule(mount, READER_NAMES);
