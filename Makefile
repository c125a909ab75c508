# Two commands do all the set-up on a fresh machine: `make serve` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PORT ?= 5000
MODEL ?=
# The mirror of public files, where one lies beside the checkout; tests name what they miss without it.
MIRROR = $(abspath ../shared/assets)
# What starts a container engine, where it lies beside the checkout.
ENGINE = $(abspath ../shared/tools/docker-engine)
# Training data and the sentence encoder as well, where they can be gathered.
GATHERED = $(if $(wildcard ../shared/data),mirror,)
EVERYTHING = $(if $(GATHERED),$(CURDIR)/.mirror,$(MAXFW_ASSETS_MIRROR))
export MAXFW_ASSETS_MIRROR ?= $(if $(wildcard $(MIRROR)),$(MIRROR),)

.PHONY: serve test test-all test-tensorflow test-pytorch test-docker test-ray test-browser check format docs evaluate mirror bench bench-zoo clean

serve: $(VENV)/serve.stamp  ## install, then serve the embedded model on port 5000
	$(BIN)/maxfw serve $(MODEL) --port $(PORT)

test: $(VENV)/test.stamp  ## the core, LiteRT and ONNX
	$(BIN)/pytest -m "not tensorflow and not pytorch and not docker and not ray and not browser and not long" $(ARGS)

test-all: test-tensorflow test-pytorch test-docker test-ray test-browser  ## what `make test` leaves out: extras in environments of their own, images, pages

test-tensorflow: .venv-tensorflow/test.stamp
	.venv-tensorflow/bin/pytest -m "tensorflow and not long" $(ARGS)

test-pytorch: .venv-pytorch/test.stamp $(GATHERED)
	MAXFW_ASSETS_MIRROR=$(EVERYTHING) .venv-pytorch/bin/pytest -m "pytorch and not long" $(ARGS)

# Where nothing starts an engine and none runs, these tests skip and say so.
test-docker: $(VENV)/test.stamp  ## images, built and run by a real container engine
	$(if $(wildcard $(ENGINE)),$(ENGINE))
	$(BIN)/pytest -m "docker and not long" $(ARGS)

test-ray: .venv-ray/test.stamp  ## a cluster of two nodes on this machine
	.venv-ray/bin/pytest -m "ray and not long" $(ARGS)

test-browser: .venv-browser/test.stamp  ## the pages, in the system's Chromium
	.venv-browser/bin/pytest -m "browser and not long" $(ARGS)

check: $(VENV)/test.stamp  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv-bench/bench.stamp  ## maxfw beside its peers, and what it holds under load; needs wrk
	.venv-bench/bin/python -m benchmarks $(ARGS)

docs: $(VENV)/docs.stamp  ## the site, in docs/_build
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

evaluate: .venv-pytorch/test.stamp $(GATHERED)  ## the models on held-out data, into docs/quality.md; ARGS names some
	MAXFW_ASSETS_MIRROR=$(EVERYTHING) .venv-pytorch/bin/python docs/evaluate.py $(ARGS)

mirror:  ## what tests and measurements need, from beside the checkout and the package registry, into .mirror
	.ci/mirror

bench-zoo: $(VENV)/test.stamp  ## what each model costs on one core, and how much of it is ours
	$(BIN)/python benchmarks/zoo.py $(ARGS)

clean:
	rm -rf .venv* build dist docs/_build *.egg-info

# A stamp says that its environment holds what setup.py asks for.
$(VENV)/serve.stamp: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[litert]'
	touch $@

$(VENV)/test.stamp: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[client,litert,onnx,ocr,fasttext,hdf5,audio,speech,docker,test]'
	touch $@ $(VENV)/serve.stamp

$(VENV)/docs.stamp: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $@

.venv-bench/bench.stamp: setup.py benchmarks/requirements.txt
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt -e '.[litert,onnx]'
	touch $@

.venv-tensorflow/test.stamp: setup.py
	test -x .venv-tensorflow/bin/python || $(PYTHON) -m venv .venv-tensorflow
	.venv-tensorflow/bin/pip install --quiet --disable-pip-version-check -e '.[client,litert,onnx,ocr,fasttext,hdf5,audio,speech,tensorflow,test]'
	touch $@

# 2.13.0 is a CPU build on our machines; a plain torch would bring gigabytes of CUDA.
.venv-pytorch/test.stamp: setup.py
	test -x .venv-pytorch/bin/python || $(PYTHON) -m venv .venv-pytorch
	.venv-pytorch/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv-pytorch/bin/pip install --quiet --disable-pip-version-check -e '.[client,litert,onnx,ocr,fasttext,hdf5,audio,speech,pytorch,huggingface,tokenizers,test]'
	touch $@

.venv-ray/test.stamp: setup.py
	test -x .venv-ray/bin/python || $(PYTHON) -m venv .venv-ray
	.venv-ray/bin/pip install --quiet --disable-pip-version-check -e '.[client,litert,onnx,ocr,audio,ray,test]'
	touch $@

.venv-browser/test.stamp: setup.py
	test -x .venv-browser/bin/python || $(PYTHON) -m venv .venv-browser
	.venv-browser/bin/pip install --quiet --disable-pip-version-check -e '.[client,litert,onnx,ocr,fasttext,hdf5,audio,speech,test,browser]'
	touch $@
