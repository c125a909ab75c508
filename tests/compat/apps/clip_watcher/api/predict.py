import flask_restplus.fields
from flask import abort, make_response, request
from flask_restplus import Resource
from maxfw.core import MAX_API, PredictAPI
from werkzeug.datastructures import FileStorage
from core.model import ModelWrapper

input_parser = MAX_API.parser()
input_parser.add_argument('video', type=FileStorage, location='files', required=True, help='MPEG-4')

predict_response = MAX_API.model('ClipResponse', {
    'status': flask_restplus.fields.String(required=True),
    'length': flask_restplus.fields.Integer(required=True)
})


@MAX_API.route('/predict')
class ModelPredictAPI(PredictAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc('predict')
    @MAX_API.expect(input_parser)
    @MAX_API.marshal_with(predict_response)
    def post(self):
        """Watch a clip"""
        clip = input_parser.parse_args()['video']
        if not clip.filename.endswith('.mp4'):
            abort(400, 'Invalid file type/extension: ' + clip.mimetype)
        return {'status': 'ok', 'length': self.model_wrapper.predict(clip)}


class Heartbeat(Resource):

    def get(self, seconds=1.0):
        response = make_response('{} {}'.format(request.method, seconds))
        response.headers['Content-Type'] = 'text/plain'
        return response
