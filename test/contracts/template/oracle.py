"""Renders chat templates with Jinja set up as transformers does it; JSON lines in, JSON lines out."""

import datetime
import json
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox

MOMENT = datetime.datetime(2026, 3, 7, 9, 5, 3)


class GenerationTag(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_written"), [], [], body).set_lineno(line)

    def _written(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, jinja2.ext.loopcontrols]
    )
    made.filters["tojson"] = to_json
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = MOMENT.strftime
    return made


def main():
    made = environment()
    compiled = {}
    for line in sys.stdin:
        job = json.loads(line)
        source = job["source"]
        answer = {}
        try:
            if source not in compiled:
                compiled[source] = made.from_string(source)
            answer["text"] = compiled[source].render(**json.loads(job["variables"]))
        except jinja2.exceptions.TemplateSyntaxError as error:
            answer["syntax"] = f"{error.lineno}: {error.message}"
        except Exception as error:  # whatever Python raises is an answer
            answer["error"] = type(error).__name__
            answer["message"] = str(error)[:300]
        sys.stdout.write(json.dumps(answer) + "\n")


main()
