import io
from flask import send_file
from maxfw.core import MAX_API, CustomMAXAPI
from core.model import ModelWrapper
from config import MODELS, DEFAULT_MODEL

input_parser = MAX_API.parser()
input_parser.add_argument('model', type=str, default=DEFAULT_MODEL, choices=MODELS, help='Which tone')


class ModelPredictAPI(CustomMAXAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc(produces=['audio/wav'])
    @MAX_API.expect(input_parser)
    def get(self):
        """Make a tone"""
        args = input_parser.parse_args()
        sound = self.model_wrapper.predict(args['model'])
        return send_file(io.BytesIO(sound), mimetype='audio/wav', as_attachment=True,
                         attachment_filename='result.wav')
