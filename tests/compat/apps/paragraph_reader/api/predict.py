import flask
from flask import abort
from flask_restx import fields
from maxfw.core import MAX_API, CustomMAXAPI, PredictAPI
from core.model import ModelWrapper

paragraph_model = MAX_API.model('Paragraph with questions', {
    'context': fields.String(required=True, description='What to read', example='Paris is in France.'),
    'questions': fields.List(fields.String(), required=True, description='What to answer')
})

input_model = MAX_API.model('Data JSON object', {
    'paragraphs': fields.List(fields.Nested(paragraph_model), required=True, description='Paragraphs')
})

predict_response = MAX_API.model('Predict Response', {
    'status': fields.String(required=True, description='Response status message'),
    'predictions': fields.List(fields.List(fields.String()), description='Answers by paragraph'),
    'model_size': fields.Integer(description='Never set by anybody')
})


class ModelLabelsAPI(CustomMAXAPI):

    @MAX_API.doc('get_labels')
    def get(self):
        """Return the kinds of words"""
        return [{'id': 0, 'name': 'short'}, {'id': 1, 'name': 'long'}]


class ModelPredictAPI(PredictAPI):

    model_wrapper = ModelWrapper()

    @MAX_API.doc('predict')
    @MAX_API.expect(input_model, validate=True)
    @MAX_API.response(400, 'The paragraphs cannot be read')
    @MAX_API.marshal_with(predict_response, skip_none=False)
    def post(self):
        """Make a prediction given input data"""
        input_json = MAX_API.payload
        if not input_json['paragraphs']:
            abort(400, 'An empty list was provided.')
        if flask.request.headers.get('X-Break'):
            raise RuntimeError('the password is swordfish')
        return {'status': 'ok', 'predictions': self.model_wrapper.predict(input_json['paragraphs'])}
